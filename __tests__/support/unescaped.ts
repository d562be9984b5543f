/** Decodes a line of `strace -xx`, which writes each byte of a string as `\\x` and two digits. */
export function unescaped(line: string): string {
  return line.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
