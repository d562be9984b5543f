/** Every link of a document leads to a file and a heading that exist, and the README leads to every document. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = dirname(import.meta.dirname);
const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const withoutCode = (markdown: string): string => markdown.replaceAll(/^( *)```.*?^\1```$/gms, '');

/** As GitHub makes them: https://docs.github.com/en/get-started/writing-on-github, section links. */
function anchorsOf(markdown: string): Set<string> {
  const slugs = [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
  const seen = new Map<string, number>();
  return new Set(
    slugs.map((slug) => {
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${String(count)}`;
    }),
  );
}

/** Relative ones; `to` is a path from the root. */
function linksOf(path: string): { link: string; to: string; anchor: string | undefined }[] {
  const links = [...withoutCode(read(path)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [file = '', anchor] = link.split('#');
      return { link, to: file === '' ? path : normalize(join(dirname(path), file)), anchor };
    });
}

describe('the headings of a document', () => {
  it.each([
    ['# Key: `docker build`\n## Key\n## Key', ['key-docker-build', 'key', 'key-1']],
    ["## What AWS's CLI does (and not)", ['what-awss-cli-does-and-not']],
    ['```sh\n# no heading\n```\n## OIDC_UNAVAILABLE', ['oidc_unavailable']],
  ])('of %j are linked as %j', (markdown, anchors) => {
    expect([...anchorsOf(markdown)]).toEqual(anchors);
  });
});

describe('the links of a document', () => {
  it.each(documents)('%s lead somewhere', (path) => {
    const broken = linksOf(path).filter(({ to, anchor }) => {
      if (!existsSync(join(root, to))) return true;
      return anchor !== undefined && to.endsWith('.md') && !anchorsOf(read(to)).has(anchor);
    });
    expect(broken.map(({ link }) => link)).toEqual([]);
  });

  it('lead from the README to every document for users', () => {
    const reached = new Set(['README.md']);
    for (const path of reached)
      for (const { to } of linksOf(path))
        if (to.endsWith('.md') && existsSync(join(root, to))) reached.add(to);
    const forUsers = documents.filter((path) => /^(docs\/)?[^/]+$/.test(path));
    expect(forUsers.filter((path) => !reached.has(path))).toEqual([]);
  });
});
