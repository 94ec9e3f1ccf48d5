// A pen that draws on a picture in SVG with the calls of a canvas: as much of them as charts use. Texts and colours are written
// as attributes, so that any program shows the same.

export class SvgPen {
  constructor(width, height, font) {
    Object.assign(this, { width, height, font, parts: [], path: "", clipped: null });
    Object.assign(this, { strokeStyle: "#000", fillStyle: "#000", globalAlpha: 1, lineWidth: 1 });
  }

  beginPath() {
    this.path = "";
  }

  moveTo(x, y) {
    this.path += `M${short(x)} ${short(y)}`;
  }

  lineTo(x, y) {
    this.path += `${this.path ? "L" : "M"}${short(x)} ${short(y)}`;
  }

  rect(x, y, width, height) {
    this.path += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}z`;
  }

  // A whole circle: charts draw no other arcs.
  arc(x, y, radius) {
    this.path += `M${short(x - radius)} ${short(y)}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0z`;
  }

  closePath() {
    this.path += "z";
  }

  stroke() {
    this.#add(`fill="none" stroke="${escapeXml(this.strokeStyle)}" stroke-width="${this.lineWidth}" stroke-linejoin="bevel"`);
  }

  fill() {
    this.#add(`fill="${escapeXml(this.fillStyle)}"`);
  }

  // `align` is start, middle or end, of a line at (x, y).
  text(text, x, y, { align = "start", size = 11, weight = 400 } = {}) {
    this.parts.push(`<text x="${short(x)}" y="${short(y)}" fill="${escapeXml(this.fillStyle)}" font-size="${size}" font-weight="${weight}" text-anchor="${align}">${escapeXml(text)}</text>`);
  }

  // What is drawn by `draw` is seen in this rectangle only.
  within([x, y, width, height], draw) {
    this.parts.push(`<clipPath id="area"><rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"/></clipPath><g clip-path="url(#area)">`);
    draw();
    this.parts.push("</g>");
  }

  toString() {
    const { width, height, font, parts } = this;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escapeXml(font)}">\n${parts.join("\n")}\n</svg>\n`;
  }

  #add(how) {
    if (this.path) this.parts.push(`<path d="${this.path}" ${how}${this.globalAlpha < 1 ? ` opacity="${this.globalAlpha}"` : ""}/>`);
  }
}

const short = (number) => Number(number.toFixed(2));
const NAMES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeXml = (text) => String(text).replace(/[&<>"]/g, (letter) => NAMES[letter]);
