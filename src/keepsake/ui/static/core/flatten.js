// Nested values as rows of dotted names, as the filter language and `keepsake show` write them. Pure.

// Returns [[name, value], ...] in the order of the values; lists and empty dictionaries stay values.
export function flatten(values, prefix = "") {
  return Object.entries(values ?? {}).flatMap(([name, value]) => {
    const isNested = value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0;
    return isNested ? flatten(value, `${prefix}${name}.`) : [[`${prefix}${name}`, value]];
  });
}
