// NiiVue without the work nobody sees: it shades a whole volume in advance for a lit head that is never lit here. On a
// machine without a graphics card that is most of the wait for the first slice, and of every change of the window.
const SHADING = 33992;  // where the texture lies that NiiVue begins that work with, after the volume itself is drawn

export const unlit = (Niivue) => class extends Niivue {
  rgbaTex(texture, unit, dims, filled = false) {
    const shades = this.drawsVolume && unit === SHADING && filled;
    if (!shades) return super.rgbaTex(texture, unit, dims, filled);
    this.gl.enable(this.gl.SCISSOR_TEST);  // what follows is drawn nowhere
    this.gl.scissor(0, 0, 0, 0);
    return super.rgbaTex(texture, unit, dims, false);
  }

  refreshLayers(volume, layer) {
    this.drawsVolume = layer === 0;
    try {
      super.refreshLayers(volume, layer);
    } finally {
      this.drawsVolume = false;
      this.gl.disable(this.gl.SCISSOR_TEST);
    }
  }
};
