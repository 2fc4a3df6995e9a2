// Where things are: the API speaks LPS mm, NiiVue speaks RAS mm; this file alone converts, and puts places into words.
import { formatNumber, word } from "./words.js";

export const rasFromLps = ([x, y, z]) => [-x, -y, z];
export const lpsFromRas = ([x, y, z]) => [-x, -y, z];

/** "L 12.0  P 3.4  S 40.1 mm": towards which side of the patient, per axis. */
export function placeInWords(lps) {
  const sides = [["side.L", "side.R"], ["side.P", "side.A"], ["side.S", "side.I"]];
  const parts = lps.map((value, axis) => {
    const shown = Math.abs(value) < 0.05 ? 0 : value;
    return `${word(sides[axis][shown < 0 ? 1 : 0])} ${formatNumber(Math.abs(shown), 1)}`;
  });
  return `${parts.join("  ")} mm`;
}

/** A stored volume's value at a world point: the nearest voxel; null outside. */
export function valueAt(volume, lps) {
  const [x, y, z] = rasFromLps(lps);
  const voxel = volume.mm2vox([x, y, z], true).map((index) => Math.ceil(index - 0.5));  // exactly between two: the lower
  const inside = voxel.every((index, axis) => index >= 0 && index < volume.dimsRAS[axis + 1]);
  return inside ? volume.getValue(voxel[0], voxel[1], voxel[2], volume.frame4D) : null;
}

export function samePlace(one, other, withinMm = 0.01) {
  return Boolean(one && other) && one.every((value, axis) => Math.abs(value - other[axis]) <= withinMm);
}
