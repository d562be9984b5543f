import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = dirname(import.meta.dirname);
const name = 'ssm-ssh-agent';

/**
 * A command of a package manager that would ask the registry for the name. The name there is not ours: whoever registers it
 * would run as root on the hosts of those who follow the text.
 */
const byName = new RegExp(
  String.raw`\b(?:npm +(?:i|in|add|install|exec|x)|npx|pnpm +(?:add|i|install|dlx)|yarn +(?:add|dlx|global +add)|bunx?)\b` +
    String.raw`[^\n&;|\x60]*?[ '"=](?:npm:)?${name}(?:@[^\s/'"\x60]*)?(?=$|[\s'"\x60&;|),.:\\])`,
  'gm',
);

const skipped = ['.git', 'node_modules', 'lib', 'coverage', 'dist'];
const files = readdirSync(root, { withFileTypes: true })
  .filter((entry) => !skipped.includes(entry.name))
  .flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(join(root, entry.name), { recursive: true, withFileTypes: true })
      : [entry],
  )
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

describe('the README', () => {
  it.each(['docs/install.md', 'docs/other-ci.md'])('leads to %s', (path) => {
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`](${path}`);
  });
});

describe('a text of the project', () => {
  it('never installs or runs the package by its name on npm, which is not ours', () => {
    expect(files.length).toBeGreaterThan(300);
    const found = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(byName)].map(
        ([command]) => `${file.slice(root.length + 1)}: ${command}`,
      ),
    );
    expect(found).toEqual([]);
  });

  it.each([
    `npm install --global ${name}`,
    `sudo npm i -g ${name}@1`,
    `RUN npm install --global '${name}'`,
    `run \`npx --yes ${name}\``,
    `pnpm dlx ${name} doctor`,
  ])('would be found with: %s', (text) => {
    expect(text.match(byName)).toHaveLength(1);
  });

  it.each([
    `npm install --global ./${name}-1.0.0.tgz`,
    `npm install --global https://github.com/acme/${name}/releases/download/v1.0.0/${name}-1.0.0.tgz`,
    `npm install --global "$file" && ${name} --version`,
    `npm uninstall --global ${name}`,
  ])('may say: %s', (text) => {
    expect(text.match(byName)).toBeNull();
  });
});
