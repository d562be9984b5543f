/** Which refusal of our agent is told where an ssh has failed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { signatureFailure } from '../../helper/choose/signature-failure.ts';
import { askFrontSocket } from '../support/front.ts';
import { memorySigner } from '../support/memory-signer.ts';
import { describeWhere } from '../support/needs.ts';
import { signMessage } from '../kms/front/requests.ts';
import { add, front, signOnce, start } from '../kms/front/stage.ts';

const project = dirname(dirname(import.meta.dirname));

describe('a refusal of our agent', () => {
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'refusal-'));
    await start();
  });
  afterEach(async () => {
    await front.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is told to the connection during which it came, and not to one that began after it', async () => {
    const signer = memorySigner();
    add(signer);
    const file = join(folder, 'key.pub');
    writeFileSync(file, `${signer.line}\n`);
    const asked = async (began: number | undefined): Promise<string | undefined> =>
      (await signatureFailure(front.socket, ['-o', `IdentityFile="${file}"`, 'host'], began))?.code;
    const before = Date.now();
    await askFrontSocket(front.socket, signMessage(signer.publicKey.blob, Buffer.from('text')));
    expect([await asked(before), await asked(undefined)]).toEqual(['SIGNATURE_REFUSED', 'SIGNATURE_REFUSED']);
    await sleep(5);
    expect(await asked(Date.now())).toBeUndefined();
    await signOnce(signer);
    expect(await asked(before)).toBeUndefined();
  });
});

describeWhere(process.platform === 'linux', 'only Linux tells when a process began')(
  'the begin of the shell around ssh',
  () => {
    it('is known to the Node that the shell starts after ssh', () => {
      const file = join(project, 'helper/choose/start-of-parent.ts');
      const script = `import(${JSON.stringify(file)}).then(async (m) => console.log(await m.startOfParent()))`;
      const before = Date.now();
      const told = execFileSync(
        'sh',
        ['-c', 'sleep 0.5; "$0" --no-warnings -e "$1"; :', process.execPath, script],
        { encoding: 'utf8' },
      );
      const began = Number(told);
      expect(began).toBeGreaterThan(before - 200);
      // The shell slept before it started Node.
      expect(began).toBeLessThan(Date.now() - 500);
    });
  },
);
