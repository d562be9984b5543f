import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const dist = join(dirname(import.meta.dirname), 'dist');
const weigh = (entry: string): number => {
  const files = readdirSync(join(dist, entry)).map((file) => statSync(join(dist, entry, file)).size);
  return files.reduce((sum, size) => sum + size, 0);
};

describe('what a job downloads', () => {
  it('main stays under 1.2 MB, and under 900 kB at its start', () => {
    expect(weigh('main')).toBeLessThan(1_200_000);
    expect(statSync(join(dist, 'main/index.js')).size).toBeLessThan(900_000);
  });

  it('post stays under 60 kB', () => {
    expect(weigh('post')).toBeLessThan(60_000);
  });
});
