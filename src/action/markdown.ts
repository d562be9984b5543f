/** A table of the step summary in Markdown. Pure. */
import { visible } from '../keys/visible-text.ts';

/** With a line feed at its end. */
export function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  return [`### ${title}`, '', ...lines, ''].join('\n');
}

/** A text in a cell, as it is. A backtick would end it, and so would a line end, which becomes visible. */
export function code(text: string): string {
  return text === '' ? '' : `\`${visible(text).replaceAll('|', '\\|').replaceAll('`', "'")}\``;
}
