/** Lines of others that must not count beside those of setup. They become comments, and `setup --remove` restores them. Pure. */
import { createHash } from 'node:crypto';

const begin = '# replaced by ssm-ssh-agent';
const pattern = /^[ \t]*# replaced by ssm-ssh-agent ([0-9a-f]{8}): (.*)$/s;

/** @param header of the section in which the line is */
export function replacedLine(header: string, line: string): string {
  return `${begin} ${checkSum(header, line)}: ${line}`;
}

/** @returns the line as it was; undefined where setup did not replace it, or somebody changed it since */
export function restoredLine(header: string, line: string): string | undefined {
  const [, sum, text] = pattern.exec(line) ?? [];
  return text !== undefined && sum === checkSum(header, text) ? text : undefined;
}

/** Editors may change white space. */
function checkSum(header: string, line: string): string {
  const text = line.trim().replace(/[ \t]+/g, ' ');
  return createHash('sha256').update(`replaced\n${header}\n${text}`).digest('hex').slice(0, 8);
}
