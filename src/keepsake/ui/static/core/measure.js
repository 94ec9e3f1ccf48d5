// How wide a text is in the font of the table.

let pen = null;

export function textWidth(text) {
  if (!pen) {
    pen = document.createElement("canvas").getContext("2d");
    pen.font = `13px ${getComputedStyle(document.body).fontFamily}`;
  }
  return pen.measureText(text).width;
}
