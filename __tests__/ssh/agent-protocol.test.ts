/** Our messages compared with those of the real ssh-add, byte by byte; and parsing of an agent's answers. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseCertificate } from '../../src/keys/certificate.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { string, uint32 } from '../../src/keys/wire.ts';
import {
  addIdentity,
  answers,
  certifiedIdentityOf,
  identityOf,
  longestMessage,
  message,
  MessageReader,
  readIdentities,
  requests,
  type Constraints,
} from '../../src/ssh/agent-protocol.ts';
import { hostKeysFor } from '../../src/ssh/host-keys.ts';
import { renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { listenInFrontOf, startRealAgent, type Listener, type RealAgent } from '../support/agents.ts';
import { certify } from '../support/keygen.ts';
import { makeSshKey, type SshKey, type SshKeyOptions } from '../support/ssh-keys.ts';

const kinds = [
  { type: 'ed25519', comment: 'deploy@acme, für "alles"' },
  { type: 'ecdsa', bits: 256, comment: 'a' },
  { type: 'ecdsa', bits: 384, comment: 'b' },
  { type: 'ecdsa', bits: 521, comment: 'c' },
  { type: 'rsa', bits: 2048, comment: 'd' },
] as const satisfies SshKeyOptions[];

let agent: RealAgent;
let front: Listener;
const add: ReadonlySet<number> = new Set([requests.addIdentity, requests.addConstrainedIdentity]);

/** The messages of ssh-add, recorded by a socket between it and the agent. */
async function sentBySshAdd(args: readonly string[], privateKey: string): Promise<string[]> {
  const before = front.messages.length;
  // Not execFileSync: this process serves the socket.
  await new Promise<void>((resolve, reject) => {
    const env = { ...process.env, SSH_AUTH_SOCK: front.socket };
    const child = spawn('ssh-add', ['-q', ...args, '-'], { env, cwd: agent.folder, stdio: 'pipe' });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(said));
    });
    child.stdin.end(privateKey);
  });
  const sent = front.messages.slice(before).filter(([number]) => add.has(number ?? 0));
  return sent.map((body) => body.toString('hex'));
}

const none: Constraints = { lifetime: 0, destinations: [] };
/** Without its length. */
const hex = (framed: Buffer): string => framed.subarray(4).toString('hex');

beforeAll(async () => {
  agent = startRealAgent();
  front = await listenInFrontOf(agent);
});
afterAll(async () => {
  await front.close();
  agent.stop();
});

describe.each(kinds)('a key of %j is added in the same way as by ssh-add', (kind) => {
  let key: SshKey;
  beforeAll(async () => {
    key = await makeSshKey(kind);
  });
  const ours = (limits: Constraints): string =>
    hex(addIdentity(identityOf(parsePrivateKey(key.privateKey, '/ci/key')), limits));

  it('without a limit, and with a lifetime', async () => {
    expect(await sentBySshAdd(['-k'], key.privateKey)).toEqual([ours(none)]);
    expect(await sentBySshAdd(['-k', '-t', '3600'], key.privateKey)).toEqual([
      ours({ ...none, lifetime: 3600 }),
    ]);
  });

  it('with its certificate', async () => {
    const line = certify(key.publicKey, (await makeSshKey()).privateKey, ['-n', 'deploy', '-V', '+1h']);
    writeFileSync(join(agent.folder, '(stdin)-cert.pub'), line);
    const parsed = parsePrivateKey(key.privateKey, '/ci/key');
    const certificate = parseCertificate(line, '/ci/cert', {
      publicKey: parsed.publicKey,
      resource: '/ci/key',
    });
    const limits = { ...none, lifetime: 60 };
    expect(await sentBySshAdd(['-t', '60'], key.privateKey)).toEqual([
      ours(limits),
      hex(addIdentity(certifiedIdentityOf(parsed, certificate), limits)),
    ]);
  });
});

describe('destinations are restricted in the same way as by ssh-add -h', () => {
  let key: SshKey;
  let knownHosts: string;
  const hosts = ['github.com', '[git.example.com]:2222', 'hashed.example.com', 'a.example.net', 'ca.test'];

  beforeAll(async () => {
    key = await makeSshKey({ comment: 'deploy' });
    const [ed25519 = '', ecdsa = '', rsa = ''] = (
      await Promise.all(
        (['ed25519', 'ecdsa', 'rsa'] as const).map((type) => makeSshKey({ type, comment: 'host key' })),
      )
    ).map(({ publicKey }) => publicKey);
    const hashed = join(agent.folder, 'hashed');
    writeFileSync(hashed, `hashed.example.com,other.example.com ${rsa}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', hashed], { stdio: 'pipe' });
    knownHosts = renderKnownHosts(
      [
        `git.example.com,[git.example.com]:2222 ${ed25519}`,
        `[git.example.com]:2222,10.0.0.1 ${rsa}`,
        readFileSync(hashed, 'utf8'),
        `*.example.net,!b.example.net ${ecdsa}`,
        `?.EXAMPLE.net ${ed25519}`,
        `!a.example.net,*.example.net ${rsa}`,
        `@cert-authority *.test,!host.test ${ed25519}`,
        `ca.test ${rsa}`,
        `@revoked ca.test ${ecdsa}`,
      ].join('\n'),
    );
    writeFileSync(join(agent.folder, 'known_hosts'), knownHosts);
  });

  const ours = (names: readonly string[], lifetime: number): string => {
    const destinations = names.map((host) => ({ host, keys: hostKeysFor(host, knownHosts) }));
    const identity = identityOf(parsePrivateKey(key.privateKey, '/ci/key'));
    return hex(addIdentity(identity, { lifetime, destinations }));
  };

  it.each([[hosts], ...hosts.map((host) => [[host]])])('to %j', async (names) => {
    const only = names.flatMap((host) => ['-h', host]);
    const { privateKey } = key;
    const sent = await sentBySshAdd(['-k', '-t', '60', '-H', 'known_hosts', ...only], privateKey);
    expect(sent).toEqual([ours(names, 60)]);
  });
});

describe('an agent’s answers', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)));

  it('are the same messages, however they are split', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(50)), (messages, cuts) => {
        const stream = Buffer.concat(messages.map((body) => string(body)));
        const reader = new MessageReader();
        const read: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          read.push(...reader.push(stream.subarray(at, at + cut)));
          at = Math.min(stream.length, at + cut);
        }
        read.push(...reader.push(stream.subarray(at)));
        expect(read).toEqual(messages);
      }),
    );
  });

  it('are messages or a RangeError, for any bytes', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(chunks, (pieces) => {
        const reader = new MessageReader();
        return throwsNothingBut(RangeError, () => {
          for (const piece of pieces) reader.push(Buffer.from(piece));
        });
      }),
      { numRuns: 2000 },
    );
  });

  it.each([0, longestMessage + 1, 0x7fff_ffff, 0xffff_ffff])(
    'with a length of %i are refused at once',
    (length) => {
      expect(() => new MessageReader().push(uint32(length))).toThrow(RangeError);
    },
  );

  it('are a list of identities, or a RangeError', () => {
    const list = (blobs: readonly Buffer[]): Buffer => {
      const fields = blobs.flatMap((blob) => [string(blob), string('a comment')]);
      return message(answers.identities, uint32(blobs.length), ...fields).subarray(4);
    };
    fc.assert(
      fc.property(bodies, (blobs) => {
        expect(readIdentities(list(blobs)).map(({ blob }) => blob)).toEqual(blobs);
      }),
    );
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Uint8Array.of(answers.identities, ...bytes)),
      fc.tuple(bodies, fc.nat(), fc.nat(255)).map(([blobs, at, byte]) => {
        const damaged = list(blobs);
        damaged.writeUInt8(byte, at % damaged.length);
        return damaged;
      }),
    );
    fc.assert(
      fc.property(anything, (bytes) =>
        throwsNothingBut(RangeError, () => readIdentities(Buffer.from(bytes))),
      ),
      { numRuns: 2000 },
    );
  });
});

function throwsNothingBut(kind: typeof RangeError, work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch (error) {
    return error instanceof kind;
  }
}
