// Lists of names in one value of an address: marks that mean something there are written as their code.

export const escapeName = (name) => name.replace(/[%,!~=]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
export const unescapeName = (text) => text.replace(/%(25|2c|21|7e|3d)/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
