/** The links of a Markdown document, and whether what they lead to is there. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Of links and images outside code; links to other sites are left out. */
export function relativeLinks(text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(([^()\s]+)\)/g)];
  const defined = [...prose.matchAll(/^\[[^\]^]+\]:\s*(\S+)/gm)];
  return [...inline, ...defined].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link));
}

/** Whether the file, below `root`, and the heading behind # are there. */
export function isThere(root: string, document: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const file = path === '' ? join(root, document) : join(root, dirname(document), path);
  if (!existsSync(file)) return false;
  if (heading === undefined || statSync(file).isDirectory()) return true;
  return anchorsOf(readFileSync(file, 'utf8')).includes(decodeURIComponent(heading));
}

/** As GitHub makes them: lower case, no punctuation, a dash for each space, and a number behind what is there already. */
function anchorsOf(text: string): string[] {
  const found: string[] = [];
  const count = new Map<string, number>();
  for (const [, title = ''] of text.replaceAll(/^```.*?^```/gms, '').matchAll(/^#{1,6} +(.*)$/gm)) {
    const words = title
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
    const before = count.get(slug) ?? 0;
    count.set(slug, before + 1);
    found.push(before === 0 ? slug : `${slug}-${String(before)}`);
  }
  return found;
}
