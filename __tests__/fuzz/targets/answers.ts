/** What services, agents and earlier steps say: tokens, credentials, states, agent messages, frames. */
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { readState, writeState } from '../../../src/action/state.ts';
import { oddityOf, troubleOf } from '../../../src/aws/answers.ts';
import { awsFailure } from '../../../src/aws/failures.ts';
import { parseCredentials } from '../../../src/aws/instance-metadata.ts';
import { audienceText, readToken } from '../../../src/aws/token.ts';
import { Failure } from '../../../src/errors.ts';
import {
  answerHandshake,
  readAcknowledgement,
  readClosed,
  readFlag,
} from '../../../src/ec2/session-manager/contents.ts';
import { decodeFrame, encodeFrame } from '../../../src/ec2/session-manager/codec.ts';
import { readJson, readObject, saidBy } from '../../../src/http-api.ts';
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
import { anyJson, damaged, jsonNear, rowOf } from '../hostile.ts';
import { holds, type Target } from '../target.ts';

const secret = 'hunter2secret';
const words = fc.constantFrom(
  secret,
  'x',
  'Success',
  'Failed',
  'https://token.actions.githubusercontent.com',
  '2030-01-01T00:00:00Z',
);

const jwt = (claims: string): string => `e30.${Buffer.from(claims).toString('base64url')}.c2ln`;
const claims = jsonNear({ iss: words, sub: words, aud: fc.oneof(words, fc.array(words)) });

const tokenTarget: Target = {
  name: 'oidc-tokens',
  seeds: [jwt('{"iss":"https://x","sub":"repo:a/b:ref","aud":"sts.amazonaws.com"}')],
  near: fc.oneof(claims.map(jwt), damaged(claims.map(jwt))),
  read: (text) => {
    const token = readToken(text);
    if (!token) return;
    // As main writes it into the log with debugging.
    const said = `iss ${token.claims.iss}, sub ${token.claims.sub}, aud ${audienceText(token.claims)}`;
    holds(said.length > 0, 'the claims have no text');
  },
};

const credentialMembers = {
  ...{ Code: words, Message: words, AccessKeyId: words, SecretAccessKey: fc.constant(secret) },
  ...{ Token: words, Expiration: words, Type: words },
};

const metadataTarget: Target = {
  name: 'metadata-credentials',
  seeds: [
    `{"Code":"Success","AccessKeyId":"AKIA","SecretAccessKey":"${secret}","Token":"x","Expiration":"2030-01-01T00:00:00Z"}`,
  ],
  near: jsonNear(credentialMembers),
  read: (text) => {
    const read = parseCredentials(text);
    if (!read || 'refused' in read) return;
    // They become headers of requests.
    for (const part of [read.accessKeyId, read.secretAccessKey, read.sessionToken ?? '']) {
      holds(/^[\x21-\x7e]+$/.test(part), 'credentials that no header can have');
    }
  },
};

const apiTarget: Target = {
  name: 'github-answers',
  seeds: [
    '{"message":"Not Found","documentation_url":"https://docs.github.com"}',
    '[{"id":1,"key":"ssh-ed25519 AAAA"}]',
  ],
  near: jsonNear({
    message: words,
    error: anyJson,
    id: fc.nat(),
    token: words,
    expires_at: words,
    key: words,
  }),
  read: (text) => {
    readJson(text);
    readObject(text);
    const said = saidBy({ status: 404, headers: {}, text });
    holds(/^404[\x20-\x7e]{0,310}$/.test(said), 'an answer that is not one short line');
  },
};

const awsMembers = {
  ...{
    name: fc.constantFrom('AccessDeniedException', 'ThrottlingException', 'NotFromAws', 'x'),
    message: words,
  },
  ...{ code: fc.constantFrom('ECONNRESET', 'CERT_HAS_EXPIRED', 'x'), $metadata: anyJson },
};

const awsTarget: Target = {
  name: 'aws-errors',
  seeds: [
    '{"name":"AccessDeniedException","message":"User: arn is not authorized","$metadata":{"httpStatusCode":400}}',
  ],
  near: jsonNear(awsMembers),
  isForeign: true,
  read: (text) => {
    const headers = {
      'content-type': text.slice(0, 20),
      location: text.slice(0, 60),
      'x-amzn-errortype': text.slice(0, 9),
    };
    for (const statusCode of [200, 302, 400, 500]) {
      oddityOf({ statusCode, headers, text: () => text });
      troubleOf('ssm', { statusCode, headers, body: Buffer.from(text) });
    }
    throw awsFailure(readJson(text), { service: 'ssm', region: 'eu-west-1', resource: '/ci/key' });
  },
};

const state = { folder: '/tmp/ssm-ssh-agent-00000000', socket: '/tmp/s', replaced: { SSH_AUTH_SOCK: null } };

const stateTarget: Target = {
  name: 'states',
  seeds: [writeState(state)],
  near: jsonNear({
    ...{
      folder: fc.constant(state.folder),
      socket: words,
      sshConfig: fc.boolean(),
      tokens: fc.array(anyJson),
    },
    replaced: fc.dictionary(fc.constantFrom('SSH_AUTH_SOCK', 'GIT_SSH_COMMAND', 'PATH', 'a\nb'), anyJson),
  }),
  read: (text) => {
    const read = readState(text);
    if (!read) return;
    // JSON has no text for a number that is too large.
    const same = isDeepStrictEqual(readState(writeState(read)), read);
    holds(same || /\de[+]?\d/i.test(text), 'another state by its text');
    for (const [name, value] of Object.entries(read.replaced)) {
      holds(
        /^(SSH_AUTH_SOCK|SSH_AGENT_PID|GIT_SSH_COMMAND|GIT_SSH_VARIANT|GIT_CONFIG_COUNT)$/.test(name),
        `the variable ${name}`,
      );
      holds(value === null || typeof value === 'string', 'a variable that is no text');
    }
  },
};

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

const handshake =
  '{"RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port"}}]}';
const frame = (type: string, payloadType: number, payload: string): string =>
  encodeFrame(
    {
      type,
      sequence: 1,
      flags: 0,
      id: '12345678-1234-1234-1234-123456789abc',
      payloadType,
      payload: Buffer.from(payload),
    },
    0,
  ).toString('latin1');

const frameTarget: Target = {
  name: 'frames',
  seeds: [
    frame('output_stream_data', 5, handshake),
    frame('acknowledge', 0, '{}'),
    handshake,
    '{"Output":"x"}',
  ],
  near: fc.oneof(
    damaged(
      fc.constantFrom(
        frame('output_stream_data', 5, handshake),
        frame('channel_closed', 0, '{"Output":"x"}'),
      ),
    ),
    jsonNear({
      RequestedClientActions: fc.array(
        jsonNear({ ActionType: words, ActionParameters: anyJson }).map(readJson),
        { maxLength: 3 },
      ),
      ...{ Output: words, AcknowledgedMessageType: words, AcknowledgedMessageSequenceNumber: fc.nat() },
    }),
    anyJson.map((SessionType) =>
      JSON.stringify({
        RequestedClientActions: [{ ActionType: 'SessionType', ActionParameters: { SessionType } }],
      }),
    ),
  ),
  read: (text) => {
    const bytes = Buffer.from(text, 'latin1');
    const decoded = decodeFrame(bytes);
    if (decoded)
      holds(
        isDeepStrictEqual(decodeFrame(encodeFrame(decoded, 0)), decoded) || decoded.sequence > 2 ** 52,
        'another frame',
      );
    for (const payload of [decoded?.payload ?? bytes, bytes]) {
      const answer = answerHandshake(payload);
      if (answer) holds(/^[\x20-\x7e]*$/.test(answer.refused ?? ''), 'a refusal with other characters');
      holds(/^[\x20-\x7e]{0,300}$/.test(readClosed(payload)), 'a message that is not one short line');
      readAcknowledgement(payload);
      readFlag(payload);
    }
  },
};

const refusals = [
  'No ED25519 host key is known for [git.test]:2222 and you have requested strict checking.\nHost key verification failed.\r\n',
  'Offending RSA key in /home/me/.ssh/known_hosts:3\nHost key for git.test has changed and you have requested strict checking.\nHost key verification failed.\r\n',
];

const sshTarget: Target = {
  name: 'ssh-messages',
  seeds: [...refusals, 'SSH-2.0-OpenSSH_9.2\r\n\0\0\0\u000c\n\u0015'],
  near: damaged(fc.constantFrom(...refusals)),
  read: (text) => {
    const watch = new LoginWatch('git');
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

export const answerTargets: readonly Target[] = [
  ...[tokenTarget, metadataTarget, apiTarget, awsTarget, stateTarget, agentTarget, frameTarget, sshTarget],
];
