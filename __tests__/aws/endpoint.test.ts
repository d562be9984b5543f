/** Where requests go, and who may read them on the way. */
import { describe, expect, it } from '@jest/globals';
import { isOfAws, isPrivate, originOf } from '../../src/aws/endpoint.ts';

describe('an endpoint', () => {
  it.each([
    ['sts.amazonaws.com', true],
    ['sts.eu-west-1.amazonaws.com', true],
    ['STS.EU-WEST-1.AMAZONAWS.COM', true],
    ['vpce-0123-abc.sts.eu-west-1.vpce.amazonaws.com', true],
    ['ssm.cn-north-1.amazonaws.com.cn', true],
    ['sts-fips.us-iso-east-1.c2s.ic.gov', true],
    ['ssm.eu-west-1.api.aws', true],
    ['amazonaws.com', false],
    ['sts.amazonaws.com.evil.test', false],
    ['sts-amazonaws.com', false],
    ['127.0.0.1', false],
  ])('%s is one of AWS: %s', (hostname, expected) => {
    expect(isOfAws(hostname)).toBe(expected);
  });

  it.each([
    ['https://evil.test', true],
    ['http://localhost:4566', true],
    ['http://127.0.0.1:4566', true],
    ['http://127.8.9.10', true],
    ['http://[::1]:4566', true],
    ['http://evil.test', false],
    ['http://sts.amazonaws.com', false],
    ['http://localhost.evil.test', false],
    ['http://127.0.0.1.evil.test', false],
    ['http://10.0.0.1', false],
    ['http://0.0.0.0', false],
  ])('%s keeps what is sent to it private: %s', (url, expected) => {
    expect(isPrivate(new URL(url))).toBe(expected);
  });

  it('is told with its port, where it has one of its own', () => {
    expect(originOf({ protocol: 'https:', hostname: 'a.test' })).toBe('https://a.test');
    expect(originOf({ protocol: 'http:', hostname: '127.0.0.1', port: 4566 })).toBe('http://127.0.0.1:4566');
  });
});
