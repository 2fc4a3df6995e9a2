// Viewers open one after the other, so that the first slice of the first is not kept waiting by what the next ones draw.
const PATIENCE_MS = 1500;  // a file that does not come holds nobody up for longer

let last = Promise.resolve();

/** `ready` comes true when those before are shown or patience is over; `end` lets the next one begin. */
export function takeTurn() {
  const before = last;
  let end;
  last = new Promise((resolve) => { end = resolve; });
  return { ready: Promise.race([before, new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS); })]), end };
}
