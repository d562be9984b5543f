import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { testInShells } from './job-routes-in-shells.ts';

describe('helper/ssm-ssh', () => {
  let folder: string;
  let made = 0;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ssm-ssh-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  testInShells('rest', () => join(folder, String(made++)));
});
