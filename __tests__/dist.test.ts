import { readdirSync, readFileSync, statSync } from 'node:fs';
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

describe('the command line', () => {
  const folder = join(dist, 'ssm-ssh-agent');
  const files = readdirSync(folder).filter((file) => file.endsWith('.js'));
  const holding = (text: string): string[] =>
    files.filter((file) => readFileSync(join(folder, file), 'utf8').includes(text));

  it('starts with under 80 kB: the AWS SDK comes when a key is read', () => {
    expect(statSync(join(folder, 'index.js')).size).toBeLessThan(80_000);
    const sdk = holding('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED==="true"').concat(
      holding('"true"===process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'),
    );
    expect(sdk.length).toBe(1);
    expect(sdk).not.toContain('index.js');
  });

  it('has nothing of the runner in it', () => {
    expect(holding('GITHUB_STEP_SUMMARY')).toEqual([]);
    const main = readFileSync(join(dist, 'main/index.js'), 'utf8');
    expect(main).toContain('GITHUB_STEP_SUMMARY');
  });
});
