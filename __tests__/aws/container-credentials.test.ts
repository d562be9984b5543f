/** The credentials of a container, and wrong answers instead of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { containerCredentials } from '../../src/aws/container-credentials.ts';

const whole = JSON.stringify({
  AccessKeyId: 'AKIAEXAMPLE',
  SecretAccessKey: 'secret',
  Token: 'session',
  Expiration: '2030-01-02T03:04:05Z',
});

type Answer = (response: ServerResponse, request: IncomingMessage) => void;
const well: Answer = (response) => response.end(whole);

describe('the credentials of a container', () => {
  let server: Server;
  let folder: string;
  let received: (string | undefined)[];
  /** The first answers; those behind them are whole. */
  let answers: Answer[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'container-'));
    server = createServer((request, response) => {
      response.on('error', () => undefined);
      received.push(request.headers.authorization);
      (answers.shift() ?? well)(response, request);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  beforeEach(() => {
    [received, answers] = [[], []];
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const ask = async (
    more: Record<string, string> = {},
    patience = 300,
  ): ReturnType<typeof containerCredentials> => {
    const place = `http://127.0.0.1:${(server.address() as AddressInfo).port}/credentials`;
    return await containerCredentials({
      env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: place, ...more },
      patience,
    });
  };

  it('are read with the token of the environment, or of the file that EKS writes', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'of the file\n');
    expect(await ask({ AWS_CONTAINER_AUTHORIZATION_TOKEN: 'of the environment' })).toEqual({
      accessKeyId: 'AKIAEXAMPLE',
      secretAccessKey: 'secret',
      sessionToken: 'session',
      expiration: new Date('2030-01-02T03:04:05Z'),
    });
    await ask({ AWS_CONTAINER_AUTHORIZATION_TOKEN: 'x', AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file });
    expect(received).toEqual(['of the environment', 'of the file']);
  });

  const troubles: readonly [string, Answer, RegExp][] = [
    ['a reset', (_, { socket }) => socket.resetAndDestroy(), /no whole answer \(.*ECONNRESET\)/],
    ['no answer', () => undefined, /no whole answer \(no answer in time\)/],
    [
      'an answer that is cut',
      (response, { socket }) => {
        response.writeHead(200, { 'content-length': '5000' });
        response.write('{', () => socket.destroy());
      },
      /no whole answer \(aborted\)/,
    ],
    ['an answer that stalls', (response) => void response.write('{'), /no whole answer in time/],
    [
      'an answer without an end',
      (response) => {
        const chunk = Buffer.alloc(65_536, 'x');
        const more = (): void => {
          while (!response.destroyed && response.write(chunk));
          response.once('drain', more);
        };
        more();
      },
      /an answer of more than 64000 bytes/,
    ],
    ['a web page', (response) => response.end('<html>'), /the answer is broken, or not from AWS/],
    ['JSON that is none', (response) => response.end('null'), /the answer is broken, or not from AWS/],
    ['500', (response) => response.writeHead(500).end(), /the answer was 500/],
    ['a redirect', (response) => response.writeHead(302, { location: '/' }).end(), /the answer was 302/],
  ];

  it.each(troubles)(
    'are requested again after %s, which is reported if it does not pass',
    async (_, trouble, told) => {
      answers = [trouble];
      expect(await ask()).toMatchObject({ accessKeyId: 'AKIAEXAMPLE' });
      answers = [trouble, trouble, trouble];
      const error: unknown = await ask().catch((caught: unknown) => caught);
      expect(error).toMatchObject({ name: 'CredentialsProviderError' });
      expect((error as Error).message).toMatch(/^this container's credentials: /);
      expect((error as Error).message).toMatch(told);
    },
  );

  it('are not requested again after a refusal', async () => {
    answers = [(response) => response.writeHead(403).end()];
    await expect(ask()).rejects.toThrow('the answer was 403');
    expect(received).toHaveLength(1);
  });

  it.each(['http://192.0.2.7/credentials', 'http://127.0.0.1.evil.test/', 'credentials'])(
    'are not requested at %s',
    async (place) => {
      await expect(ask({ AWS_CONTAINER_CREDENTIALS_FULL_URI: place })).rejects.toThrow(/the address is/);
    },
  );
});
