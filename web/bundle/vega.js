// Charts: Vega-Lite specs drawn by Vega, their expressions walked by the interpreter (no eval, for the content policy).
export { default as embed } from "vega-embed";
export { expressionInterpreter } from "vega-interpreter";
