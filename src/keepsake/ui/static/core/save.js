// Hands the reader a file that the page has made.

export function saveBlob(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.replace(/[^\w.-]+/g, "_");
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveText(name, text, type = "text/csv") {
  saveBlob(name, new Blob([text], { type: `${type};charset=utf-8` }));
}
