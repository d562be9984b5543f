/** Where requests go, and who may read them on the way. */
import { describe, expect, it } from '@jest/globals';
import { isOfAws, isPrivate, originOf } from '../../src/aws/endpoint.ts';

describe('an endpoint', () => {
  it.each([
    ['https://sts.amazonaws.com', true],
    ['https://sts.eu-west-1.amazonaws.com', true],
    ['https://STS.EU-WEST-1.AMAZONAWS.COM', true],
    ['https://ec2-instance-connect-fips.us-gov-west-1.amazonaws.com', true],
    ['https://vpce-0123-abc.sts.eu-west-1.vpce.amazonaws.com', true],
    ['https://vpce-0123-abc-eu-west-1a.ssm.eu-west-1.vpce.amazonaws.com', true],
    ['https://ssm.cn-north-1.amazonaws.com.cn', true],
    ['https://sts-fips.us-iso-east-1.c2s.ic.gov', true],
    ['https://ssm.eu-west-1.api.aws', true],
    ['https://portal.sso.eu-west-1.amazonaws.com', true],
    ['https://amazonaws.com', false],
    ['https://sts.amazonaws.com.evil.test', false],
    ['https://sts-amazonaws.com', false],
    ['https://127.0.0.1', false],
    // With plain HTTP, or through HTTP_PROXY, anybody can answer as AWS.
    ['http://sts.amazonaws.com', false],
    // Names of customers.
    ['https://abcdef1234.execute-api.eu-west-1.amazonaws.com', false],
    ['https://sts-123.eu-west-1.elb.amazonaws.com', false],
    ['https://ec2-192-0-2-7.eu-west-1.compute.amazonaws.com', false],
    ['https://sts.s3.eu-west-1.amazonaws.com', false],
    ['https://s3.eu-west-1.amazonaws.com', false],
    ['https://vpce-0123-abc.vpce-svc-0123.eu-west-1.vpce.amazonaws.com', false],
  ])('%s is one of AWS: %s', (url, expected) => {
    const { protocol, host: hostname } = new URL(url);
    expect(isOfAws({ protocol, hostname })).toBe(expected);
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

  it('is shown with its port, if it has one', () => {
    expect(originOf({ protocol: 'https:', hostname: 'a.test' })).toBe('https://a.test');
    expect(originOf({ protocol: 'http:', hostname: '127.0.0.1', port: 4566 })).toBe('http://127.0.0.1:4566');
  });
});
