/** What AWS and its services of credentials say: OIDC tokens, credentials of an instance, errors, frames of Session Manager. */
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { oddityOf, troubleOf } from '../../../src/aws/answers.ts';
import { awsFailure } from '../../../src/aws/failures.ts';
import { parseCredentials } from '../../../src/aws/instance-metadata.ts';
import { audienceText, readToken } from '../../../src/aws/token.ts';
import {
  answerHandshake,
  readAcknowledgement,
  readClosed,
  readFlag,
} from '../../../src/ec2/session-manager/contents.ts';
import { decodeFrame, encodeFrame } from '../../../src/ec2/session-manager/codec.ts';
import { readJson } from '../../../src/http-api.ts';
import { anyJson, damaged, jsonNear } from '../hostile.ts';
import { holds, type Target } from '../target.ts';
import { secret, words } from './words.ts';

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

export const awsTargets: readonly Target[] = [tokenTarget, metadataTarget, awsTarget, frameTarget];
