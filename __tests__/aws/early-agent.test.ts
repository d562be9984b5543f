/** Connections that are opened before the first request, to a real TLS server. */
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EarlyAgent } from '../../src/aws/early-agent.ts';
import { createCertificates, type Certificates } from '../support/aws/wire/certificates.ts';
import { serve, type HttpServer } from '../support/aws/wire/http-server.ts';

describe('a connection that is opened early', () => {
  const usual = getCACertificates('default');
  let certificates: Certificates;
  let server: HttpServer;
  let agent: EarlyAgent;

  beforeAll(async () => {
    certificates = await createCertificates();
  });
  afterAll(async () => {
    await certificates.remove();
  });
  beforeEach(async () => {
    setDefaultCACertificates([certificates.ca]);
    const answer = { status: 200, headers: {}, body: 'answered' };
    server = await serve({ handle: () => Promise.resolve(answer), tls: certificates });
    agent = new EarlyAgent({});
  });
  afterEach(async () => {
    setDefaultCACertificates(usual);
    agent.destroy();
    await server.close();
  });

  const url = (path = '/'): URL => new URL(path, server.origin);
  const get = async (where: URL, by = agent): Promise<string> =>
    await new Promise((resolve) => {
      const fail = (error: NodeJS.ErrnoException): void => {
        resolve(error.code ?? error.message);
      };
      const asked = request(where, { agent: by }, (response) => {
        response.setEncoding('utf8').on('data', resolve).on('error', fail);
      });
      asked.on('error', fail).end();
    });
  const connected = async (count: number): Promise<void> => {
    while (server.connections() < count) await sleep(5);
  };

  /** A connection is free a moment after the answer. */
  const free = async (count: number): Promise<void> => {
    while (Object.values(agent.freeSockets).flat().length < count) await sleep(1);
  };

  it('serves the first request and the next ones', async () => {
    agent.openEarly(url());
    await connected(1);
    expect(await get(url())).toBe('answered');
    await free(1);
    expect([await get(url('/again')), server.connections()]).toEqual(['answered', 1]);
  });

  it('serves a request that comes before it is open', async () => {
    agent.openEarly(url());
    expect([await get(url()), server.connections()]).toEqual(['answered', 1]);
  });

  it('is opened once for each host', async () => {
    agent.openEarly(url());
    agent.openEarly(url('/other'));
    expect([await get(url()), server.connections()]).toEqual(['answered', 1]);
  });

  it('is one of several that serve requests at the same time', async () => {
    agent.openEarly(url(), 2);
    agent.openEarly(url(), 3);
    await connected(3);
    const together = await Promise.all([get(url('/1')), get(url('/2')), get(url('/3'))]);
    expect([together, server.connections()]).toEqual([['answered', 'answered', 'answered'], 3]);
    await free(3);
    // The fourth request at the same time has no such connection left.
    await Promise.all([get(url('/1')), get(url('/2')), get(url('/3')), get(url('/4'))]);
    expect(server.connections()).toBe(4);
  });

  it('is replaced if the host has closed it', async () => {
    const closing = createServer(certificates, (_, response) => response.end('anew'));
    let connections = 0;
    closing.on('secureConnection', (socket: TLSSocket) => {
      if (connections++ === 0) socket.destroy();
    });
    await once(closing.listen(0, '127.0.0.1'), 'listening');
    const { port } = closing.address() as AddressInfo;
    const there = new URL(`https://127.0.0.1:${port}`);
    agent.openEarly(there);
    while (connections === 0) await sleep(5);
    await sleep(50);
    expect([await get(there), connections]).toEqual(['anew', 2]);
    closing.close();
  });

  it('leaves it to the request to report a certificate that is not trusted', async () => {
    setDefaultCACertificates(usual);
    agent.openEarly(url());
    await sleep(50);
    expect(await get(url())).toBe('SELF_SIGNED_CERT_IN_CHAIN');
  });

  it('trusts the authorities of AWS_CA_BUNDLE, early or not, and no others', async () => {
    setDefaultCACertificates(usual);
    const trusting = new EarlyAgent({ AWS_CA_BUNDLE: certificates.caFile });
    trusting.openEarly(url());
    await connected(1);
    expect([await get(url(), trusting), await get(url(), trusting)]).toEqual(['answered', 'answered']);
    trusting.destroy();

    setDefaultCACertificates([certificates.ca]);
    const others = await createCertificates();
    const wary = new EarlyAgent({ AWS_CA_BUNDLE: others.caFile });
    expect(await get(url(), wary)).toMatch(/^CERT_SIGNATURE_FAILURE|SELF_SIGNED/);
    wary.destroy();
    await others.remove();
  });

  it('is not used for another host', async () => {
    const other = await serve({
      handle: () => Promise.resolve({ status: 200, headers: {}, body: 'other' }),
      tls: certificates,
    });
    agent.openEarly(url());
    expect([await get(new URL(other.origin)), other.connections()]).toEqual(['other', 1]);
    await other.close();
  });
});
