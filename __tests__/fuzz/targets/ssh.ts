/** What agents and ssh say: messages of the agent protocol, refused host keys, the beginning of a connection. */
import fc from 'fast-check';
import { Failure } from '../../../src/errors.ts';
import { readSignatureRequest } from '../../../src/kms/front/signature-request.ts';
import { joinFields, string, uint32 } from '../../../src/keys/wire.ts';
import {
  listIdentities,
  message,
  MessageReader,
  readIdentities,
  removeIdentity,
  requests,
} from '../../../src/ssh/agent-protocol.ts';
import { identitiesAnswer, queryAnswer, readRequest } from '../../../src/ssh/agent-requests.ts';
import { hostKeyFailure, parseHostKeyRefusal } from '../../../src/ssh/host-key-refusal.ts';
import { LoginWatch } from '../../../src/ssh/login-watch.ts';
import { damaged, rowOf } from '../hostile.ts';
import { holds, type Target } from '../target.ts';

const blob = joinFields([Buffer.from('ssh-ed25519'), Buffer.alloc(32, 7)]);
const login = Buffer.concat([
  ...[string('session'), Buffer.of(50), string('git'), string('ssh-connection'), string('publickey')],
  ...[Buffer.of(1), string('ssh-ed25519'), string(blob)],
]);
const sshsig = Buffer.concat([
  ...[Buffer.from('SSHSIG'), string('git'), string(''), string('sha512'), string(Buffer.alloc(64))],
]);
const agentMessages = [
  listIdentities(),
  removeIdentity(blob),
  message(requests.sign, string(blob), string(login), uint32(0)),
  message(requests.sign, string(blob), string(sshsig), uint32(0)),
  message(requests.lock, string('x')),
  message(
    requests.extension,
    string('session-bind@openssh.com'),
    string(blob),
    string('id'),
    string('sig'),
    Buffer.of(0),
  ),
  message(requests.extension, string('query')),
  identitiesAnswer([{ blob, comment: Buffer.from('me@host') }]),
  queryAnswer(undefined),
].map((bytes) => bytes.toString('latin1'));

const agentTarget: Target = {
  name: 'agent-messages',
  seeds: [...agentMessages, agentMessages.join('')],
  near: damaged(fc.oneof(fc.constantFrom(...agentMessages), rowOf(agentMessages))),
  read: (text) => {
    const bytes = Buffer.from(text, 'latin1');
    const received = rangeOnly(() => new MessageReader().push(bytes)) ?? [bytes.subarray(4)];
    for (const one of received) {
      const request = readRequest(one);
      rangeOnly(() => readIdentities(one));
      queryAnswer(one);
      if (request.kind === 'sign') failureOnly(() => readSignatureRequest(request, 'ssh-ed25519'));
    }
  },
};

/** What its contract allows for broken bytes. */
function rangeOnly<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function failureOnly(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    holds(!/[\p{Cc}]/u.test(error.message + error.hint), 'control characters in a refusal');
    holds(error.code === 'SIGNATURE_REFUSED', `the code ${error.code}`);
  }
}

const refusals = [
  'No ED25519 host key is known for [git.test]:2222 and you have requested strict checking.\nHost key verification failed.\r\n',
  'Offending RSA key in /home/me/.ssh/known_hosts:3\nHost key for git.test has changed and you have requested strict checking.\nHost key verification failed.\r\n',
];

const sshTarget: Target = {
  name: 'ssh-messages',
  seeds: [...refusals, 'SSH-2.0-OpenSSH_9.2\r\n\0\0\0\u000c\n\u0015'],
  near: damaged(fc.constantFrom(...refusals)),
  read: (text) => {
    const watch = new LoginWatch('git', Date.now);
    watch.fromClient(Buffer.from(text, 'latin1'));
    watch.fromHost(Buffer.from(text, 'latin1'));
    holds(!watch.refused || text.length > 0, 'a login that nobody tried was refused');
    const refusal = parseHostKeyRefusal(text);
    if (!refusal) return;
    const { hint } = hostKeyFailure(refusal, { kind: 'job', file: '', own: '/tmp/x' });
    // People copy the commands.
    holds(!/ssh-keyscan (-p \d+ )?(?!-p \d)-/.test(hint), 'a host that is an option of a command');
    throw hostKeyFailure(refusal, { kind: 'host', file: '', own: '/tmp/x' });
  },
};

export const sshTargets: readonly Target[] = [agentTarget, sshTarget];
