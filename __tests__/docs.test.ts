import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { catalogue } from '../src/errors.ts';

const root = dirname(import.meta.dirname);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('docs/errors.md', () => {
  const sections = [...read('docs/errors.md').matchAll(/^## ([A-Z_]+)$/gm)].map(([, code = '']) => code);

  it('has a section for each code that the code raises', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const sources = files
      .filter((file) => file.endsWith('.ts') && file !== 'errors.ts')
      .map((file) => read(`src/${file}`));
    const text = [...sources, read('helper/ssm-ssh')].join('\n');
    const raised = Object.keys(catalogue).filter((code) => new RegExp(`['\\s]${code}[':]`).test(text));
    expect(raised.length).toBeGreaterThan(25);
    expect(raised.filter((code) => !sections.includes(code))).toEqual([]);
  });

  it('has sections for codes of the catalogue only, in its order', () => {
    const codes: string[] = Object.keys(catalogue);
    expect(sections.filter((code) => !codes.includes(code))).toEqual([]);
    expect(sections).toEqual(codes.filter((code) => sections.includes(code)));
  });
});
