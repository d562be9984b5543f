/** A line of `strace -xx`, with its strings as they were: strace writes each byte as `\\x` and two digits. */
export function unescaped(line: string): string {
  return line.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
