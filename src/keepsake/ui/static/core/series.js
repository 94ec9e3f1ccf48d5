// Reads the binary answer of `curves`: a length, a header of JSON, and two blocks of float64 for each series.

// Returns the series as [{id, count, points, x, y}], which are views of the answer.
export function decodeSeries(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = Math.ceil((4 + length) / 8) * 8;
  return header.series.map((one) => {
    const [x, y] = [new Float64Array(buffer, at, one.count), new Float64Array(buffer, at + 8 * one.count, one.count)];
    at += 16 * one.count;
    return { ...one, x, y };
  });
}
