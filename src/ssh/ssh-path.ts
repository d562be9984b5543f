/** A path as a value of ssh's options. Pure. */

/** In a path, % begins a token (ssh_config(5), TOKENS). */
export function sshPath(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}
