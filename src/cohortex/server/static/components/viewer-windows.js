// Window presets: MR has no units, so its windows come from the image; CT has the usual ones in HU.
const CT = { brain: [40, 80], stroke: [40, 40], subdural: [80, 200], bone: [600, 2800] };  // level, width

export const presetNames = (unit) => ["auto", "full", "narrow", ...(unit === "HU" ? Object.keys(CT) : [])];

/** [low, high] of a preset for a NiiVue volume. */
export function windowOf(name, volume) {
  if (CT[name]) {
    const [level, width] = CT[name];
    return [level - width / 2, level + width / 2];
  }
  const [low, high] = [volume.robust_min, volume.robust_max];
  if (name === "full") return [volume.global_min, volume.global_max];
  if (name === "narrow") return [low + 0.25 * (high - low), low + 0.75 * (high - low)];
  return [low, high];
}
