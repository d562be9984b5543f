/** SSH keys for tests: made at run time by the real `ssh-keygen`, in a folder that is removed before they are returned. */
import { execFile } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface SshKeyOptions {
  readonly type?: 'ed25519' | 'ecdsa' | 'rsa';
  /** 256, 384 or 521 for ecdsa (default 256). Default for rsa: 2048, because larger keys take long to make. */
  readonly bits?: number;
  readonly format?: 'OPENSSH' | 'PEM' | 'PKCS8';
  readonly passphrase?: string;
  /** bcrypt rounds, if there is a passphrase. ssh-keygen's default is 24, which takes long. */
  readonly rounds?: number;
  readonly comment?: string;
}

export interface SshKey {
  /** The file as written by `ssh-keygen`, including the last newline. */
  readonly privateKey: string;
  /** `TYPE BASE64 [COMMENT]`, without a newline. */
  readonly publicKey: string;
  /** `SHA256:…`, as in `ssh-keygen -l` and sshd's log. */
  readonly fingerprint: string;
}

const run = promisify(execFile);

/** The fingerprint of a public key line, or of an `authorized_keys` line without options. */
export function fingerprintOf(publicKey: string): string {
  const blob = publicKey.trim().split(/\s+/)[1];
  if (blob === undefined) throw new Error(`not a public key line: ${publicKey}`);
  return `SHA256:${createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')}`;
}

export async function makeSshKey(options: SshKeyOptions = {}): Promise<SshKey> {
  const { type = 'ed25519', format = 'OPENSSH' } = options;
  if (type === 'ed25519' && format !== 'OPENSSH') return makeEd25519Pkcs8(format, options);
  const folder = await mkdtemp(join(tmpdir(), 'ssh-key-'));
  try {
    const file = join(folder, 'key');
    await run('ssh-keygen', keygenArguments(file, options));
    const publicKey = (await readFile(`${file}.pub`, 'utf8')).trim();
    return { privateKey: await readFile(file, 'utf8'), publicKey, fingerprint: fingerprintOf(publicKey) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function keygenArguments(file: string, options: SshKeyOptions): string[] {
  const { type = 'ed25519', format = 'OPENSSH', passphrase = '', comment = '', rounds = 4 } = options;
  const bits = options.bits ?? (type === 'rsa' ? 2048 : undefined);
  return [
    ...['-q', '-t', type, '-N', passphrase, '-C', comment, '-f', file],
    ...['-a', String(rounds)],
    ...(bits === undefined ? [] : ['-b', String(bits)]),
    ...(format === 'OPENSSH' ? [] : ['-m', format]),
  ];
}

/** `ssh-keygen -m PKCS8` writes Ed25519 in OpenSSH's format, so Node writes this form. */
function makeEd25519Pkcs8(format: 'PEM' | 'PKCS8', { passphrase, comment = '' }: SshKeyOptions): SshKey {
  if (format === 'PEM') throw new Error('there is no PEM (PKCS#1, SEC 1) form of an Ed25519 key');
  const pair = generateKeyPairSync('ed25519');
  const privateKey = pair.privateKey
    .export({
      type: 'pkcs8',
      format: 'pem',
      ...(passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }),
    })
    .toString();
  const point = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const blob = Buffer.concat([sshString(Buffer.from('ssh-ed25519')), sshString(point)]).toString('base64');
  const publicKey = `ssh-ed25519 ${blob} ${comment}`.trim();
  return { privateKey, publicKey, fingerprint: fingerprintOf(publicKey) };
}

/** RFC 4251 §5: a string is its length in four bytes and its bytes. */
function sshString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
