// What the browser remembers of how somebody looks at a repository. Losing it loses nothing.

const key = (name, repository) => `keepsake.${name}.${repository}`;

export function readKept(name, repository) {
  try {
    return JSON.parse(localStorage.getItem(key(name, repository)));
  } catch {
    return null; // written by hand, or by another version
  }
}

export function keep(name, repository, value) {
  if (value === null) localStorage.removeItem(key(name, repository));
  else localStorage.setItem(key(name, repository), JSON.stringify(value));
}
