/** SSH's file signatures (openssh-portable, PROTOCOL.sshsig), made by a Signer and checked by ssh-keygen. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import type { SignatureAlgorithm, Signer } from '../../src/keys/signer.ts';
import { string, uint32 } from '../../src/keys/wire.ts';

const magic = Buffer.from('SSHSIG');
const principal = 'ci@example.com';

/** What a signer signs for the message: the text that `git commit -S` hands to an agent. */
export function signedText(message: string, namespace = 'git'): Buffer {
  const digest = createHash('sha512').update(message).digest();
  return Buffer.concat([magic, string(namespace), string(''), string('sha512'), string(digest)]);
}

/** The signature file, as `ssh-keygen -Y sign` writes it. */
export async function signMessage(
  signer: Signer,
  message: string,
  algorithm: SignatureAlgorithm,
): Promise<string> {
  const signature = await signer.sign(signedText(message), algorithm, new AbortController().signal);
  const blob = Buffer.concat([
    ...[magic, uint32(1), string(signer.publicKey.blob), string('git'), string(''), string('sha512')],
    string(signature),
  ]);
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
}

/** What ssh-keygen says: `Good "git" signature for …`, or why not. */
export async function verifyMessage(signer: Signer, message: string, signature: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sshsig-'));
  try {
    const [allowed, file] = [join(folder, 'allowed'), join(folder, 'sig')];
    await writeFile(allowed, `${principal} ${authorizedKeysLine(signer.publicKey)}\n`);
    await writeFile(file, signature);
    const keygen = spawn('ssh-keygen', [
      '-Y',
      'verify',
      '-f',
      allowed,
      '-I',
      principal,
      '-n',
      'git',
      '-s',
      file,
    ]);
    keygen.stdin.on('error', () => undefined);
    keygen.stdin.end(message);
    let said = '';
    for (const stream of [keygen.stdout, keygen.stderr])
      stream.on('data', (text: Buffer) => (said += text.toString()));
    await new Promise((resolve) => keygen.once('close', resolve));
    return said;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
