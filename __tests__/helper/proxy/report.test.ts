import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { beginReport, endReport } from '../../../helper/proxy/report.ts';

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`);
    } catch {
      return [];
    }
  });
}

it('a report that is written is no longer open', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'report-'));
  const path = join(folder, 'report');
  await beginReport(path);
  await endReport(path, { refused: true }, 'ssm-ssh');
  expect([readFileSync(path, 'utf8'), openFiles().includes(path)]).toEqual(['refused\n', false]);
  rmSync(folder, { recursive: true });
});
