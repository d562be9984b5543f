/** HTTP answers: which ones are from AWS, and what they say about the service. */
import { describe, expect, it } from '@jest/globals';
import { notAws, oddityOf, operationOf, serviceOf, troubleOf } from '../../src/aws/answers.ts';

const json = 'application/x-amz-json-1.1';
const odd = (statusCode: number, type: string, text: string): string | undefined =>
  oddityOf({ statusCode, headers: { 'content-type': type }, text: () => text });

describe('an answer', () => {
  it.each([
    [200, json, '{"Parameter":{}}'],
    [400, json, '{"__type":"ParameterNotFound"}'],
    [200, 'text/xml', '<AssumeRoleResponse></AssumeRoleResponse>\n'],
    // A load balancer's page in front of AWS: the status says more.
    [503, 'text/html', '<html></html>'],
    [200, '', ''],
  ])('of AWS is taken: %d %s %j', (status, type, text) => {
    expect(odd(status, type, text)).toBeUndefined();
  });

  it.each([
    [200, json, '{"Parameter":{"Va', 'is broken'],
    [200, json, '"text"', 'is broken'],
    [200, json, ' '.repeat(10), 'is broken'],
    [200, 'text/xml;charset=utf-8', '<AssumeRoleResponse><Cred', 'is broken'],
    [200, 'text/html', '<html></html>', 'is a web page (200)'],
    [403, 'text/html; charset=utf-8', '<html></html>', 'is a web page (403)'],
    [302, 'text/html', '', 'is a redirect (302)'],
  ])('of something else is told: %d %s %j %s', (...[status, type, text, expected]) => {
    expect(odd(status, type, text)).toBe(expected);
  });

  it('that is a redirect is reported with its host only', () => {
    const to = (location: string): string | undefined =>
      oddityOf({ statusCode: 307, headers: { location }, text: () => '' });
    expect(to('https://portal.example.test/login?token=secret')).toBe(
      'is a redirect (307) to portal.example.test',
    );
    expect(to('nowhere\u001b[31m')).toBe('is a redirect (307)');
  });

  it.each([
    [200, {}, '', undefined],
    [403, {}, '{"__type":"AccessDeniedException"}', undefined],
    [429, {}, '', 'ssm limits the rate of calls'],
    [400, { 'x-amzn-errortype': 'ThrottlingException' }, '', 'ssm limits the rate of calls'],
    [400, {}, '<Code>Throttling</Code>', 'ssm limits the rate of calls'],
    [503, {}, '<Code>RequestLimitExceeded</Code>', 'ssm limits the rate of calls'],
    [500, {}, '', 'ssm answered 500'],
  ])('says of the service: %d %j %s %s', (...[statusCode, headers, text, expected]) => {
    const body = new TextEncoder().encode(text);
    expect(troubleOf('ssm', { statusCode, headers, body })?.what).toBe(expected);
  });

  it.each([
    [{ 'x-amz-target': 'AmazonSSM.GetParameter' }, '{}', 'ssm'],
    [{ 'x-amz-target': 'secretsmanager.GetSecretValue' }, '{}', 'secretsmanager'],
    [{}, 'Action=AssumeRole&Version=2011-06-15', 'sts'],
    [{}, 'Action=DescribeInstances&Version=2016-11-15', 'ec2'],
  ])('belongs to a service: %j %s %s', (headers, body, expected) => {
    expect(serviceOf({ headers, body })).toBe(expected);
  });

  it.each([
    [{ 'x-amz-target': 'AmazonSSM.GetParameter' }, '{}', 'GetParameter'],
    [{}, 'Version=2011-06-15&Action=AssumeRole', 'AssumeRole'],
    [{}, undefined, '/federation/credentials'],
  ])('has the name of an operation: %j %s %s', (headers, body, expected) => {
    expect(operationOf({ headers, body, path: '/federation/credentials' })).toBe(expected);
  });
});

describe('the edges', () => {
  const bare = (statusCode: number, text = '', headers = {}) =>
    oddityOf({ statusCode, headers, text: () => text });

  it('each status from 300 to 399 is a redirect, with the host if there is one', () => {
    expect([299, 300, 399, 400].map((status) => bare(status))).toEqual([
      ...[undefined, 'is a redirect (300)', 'is a redirect (399)', undefined],
    ]);
    expect(bare(302, '', { location: 'https://portal.test/?token=secret' })).toBe(
      'is a redirect (302) to portal.test',
    );
  });

  it('a page with the status 500 is not called a page', () => {
    const page = { 'content-type': 'text/html' };
    expect([bare(499, '<html>', page), bare(500, '<html>', page)]).toEqual([
      'is a web page (499)',
      undefined,
    ]);
  });

  it('a status below 400 is no trouble, whatever its headers', () => {
    const headers = { 'x-amzn-errortype': 'ThrottlingException' };
    expect(troubleOf('ssm', { statusCode: 399, headers })).toBeUndefined();
    expect(troubleOf('ssm', { statusCode: 400, headers })).toEqual({
      ...{ what: 'ssm limits the rate of calls', throttled: true },
    });
    expect(troubleOf('ssm', { statusCode: 499, headers: {} })).toBeUndefined();
    expect(troubleOf('ssm', { statusCode: 500, headers: {} })).toEqual({
      ...{ what: 'ssm answered 500', throttled: false },
    });
  });

  it('an answer that is not from AWS can be tried again', () => {
    expect(notAws('what')).toMatchObject({ message: 'what', name: 'NotFromAws', $retryable: {} });
  });
});

it.each([
  [{ 'x-amz-target': 'TrentService.Sign' }, undefined, 'kms', 'Sign'],
  [
    { 'x-amz-target': 'AWSEC2InstanceConnectService.SendSSHPublicKey' },
    ...([undefined, 'ec2-instance-connect', 'SendSSHPublicKey'] as const),
  ],
  [{ 'x-amz-target': 'AmazonSSM.GetParameter' }, undefined, 'ssm', 'GetParameter'],
  [{ 'x-amz-target': 'secretsmanager.GetSecretValue' }, undefined, 'secretsmanager', 'GetSecretValue'],
  [{ 'x-amz-sso_bearer_token': 'token' }, undefined, 'sso', '/path'],
  [{}, '{"grantType":"refresh_token"}', 'sso-oidc', '/path'],
  [{}, 'Action=AssumeRole&Version=2011-06-15', 'sts', 'AssumeRole'],
  [{}, 'Version=2016-11-15&Action=DescribeInstances', 'ec2', 'DescribeInstances'],
  [{}, new Uint8Array(), 'ec2', '/path'],
])('a request with the headers %j and the body %j is one to %s: %s', (...row) => {
  const [headers, body, service, operation] = row;
  expect(serviceOf({ headers, body })).toBe(service);
  expect(operationOf({ headers, body, path: '/path' })).toBe(operation);
});
