// The keyboard of the viewer: arrows step, + and - zoom, 1-4 layout, o overlays, r reset, c convention, w and x tools.
const AXIS_OF_PLANE = { axial: 2, coronal: 1, sagittal: 0 };
const JUMP = 10;

export const LAYOUTS = ["all", "axial", "coronal", "sagittal"];

/** True where the key meant something here. */
export function handleKey(viewer, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: JUMP, PageDown: -JUMP }[event.key];
  if (step) {
    const voxels = [0, 0, 0];
    voxels[AXIS_OF_PLANE[viewer.plane]] = event.shiftKey ? step * JUMP : step;
    viewer.step(voxels);
    return true;
  }
  const layout = LAYOUTS[Number(event.key) - 1];
  if (layout) {
    viewer.setLayout(layout);
    return true;
  }
  const action = {
    "+": () => viewer.zoomBy(1.25), "=": () => viewer.zoomBy(1.25), "-": () => viewer.zoomBy(0.8),
    o: () => viewer.toggleOverlays(), r: () => viewer.reset(), c: () => viewer.toggleConvention(),
    x: () => viewer.setTool("crosshair"), w: () => viewer.setTool("window"), p: () => viewer.setTool("pan"),
  }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  action?.();
  return Boolean(action);
}
