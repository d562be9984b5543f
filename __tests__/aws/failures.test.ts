/** Errors of the AWS SDK → our code, and a correct hint. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { notAws } from '../../src/aws/answers.ts';
import { awsFailure, readAwsError } from '../../src/aws/failures.ts';
import { Failure } from '../../src/errors.ts';
import { told } from '../support/failure-of.ts';

const attempted = { service: 'ssm', region: 'eu-west-1', resource: '/ci/key' };

/** The common form of the SDK's service exceptions and of Node's errors. */
function thrown(name: string, message: string, more: { code?: string; status?: number } = {}): Error {
  const { code, status } = more;
  return Object.assign(new Error(message), {
    name,
    ...(code !== undefined && { code }),
    $fault: 'client',
    $metadata: { attempts: 3, totalRetryDelay: 200, ...(status !== undefined && { httpStatusCode: status }) },
  });
}

const network = (code: string): Error => thrown('Error', `connect ${code} 192.0.2.7:443`, { code });

describe("the AWS SDK's errors", () => {
  it.each([
    ['THROTTLED', thrown('ThrottlingException', 'Rate exceeded', { status: 400 })],
    ['THROTTLED', thrown('Throttling', 'Rate exceeded', { status: 400 })],
    ['THROTTLED', thrown('TooManyRequestsException', '', { status: 429 })],
    ['THROTTLED', thrown('RequestLimitExceeded', 'Request limit exceeded.', { status: 503 })],
    ['THROTTLED', thrown('Unknown', '', { status: 429 })],
    [
      'CREDENTIALS_EXPIRED',
      thrown('ExpiredTokenException', 'The security token included in the request is expired', {
        status: 400,
      }),
    ],
    [
      'CREDENTIALS_EXPIRED',
      thrown('ExpiredToken', 'The security token included in the request is expired', { status: 403 }),
    ],
    ['CREDENTIALS_EXPIRED', thrown('RequestExpired', 'Request has expired.', { status: 400 })],
    ['ASSUME_ROLE_DENIED', thrown('InvalidIdentityTokenException', 'Incorrect token audience')],
    ['ASSUME_ROLE_DENIED', thrown('IDPRejectedClaimException', 'The token is not valid any more')],
    [
      'CREDENTIALS_MISSING',
      thrown('UnrecognizedClientException', 'The security token included in the request is invalid.'),
    ],
    [
      'CREDENTIALS_MISSING',
      thrown('InvalidClientTokenId', 'The security token included in the request is invalid.'),
    ],
    [
      'CREDENTIALS_MISSING',
      thrown(
        'InvalidSignatureException',
        'Signature expired: 20261101T000000Z is now earlier than 20261101T001000Z',
      ),
    ],
    [
      'CREDENTIALS_MISSING',
      thrown('SignatureDoesNotMatch', 'The request signature we calculated does not match'),
    ],
    [
      'CREDENTIALS_MISSING',
      thrown('IncompleteSignature', 'Authorization header requires existence of a Signature'),
    ],
    [
      'CREDENTIALS_MISSING',
      thrown('IncompleteSignatureException', 'Authorization header requires existence of a Signature'),
    ],
    ['CREDENTIALS_MISSING', thrown('MissingAuthenticationToken', 'Request is missing Authentication Token')],
    ['CREDENTIALS_MISSING', thrown('MissingAuthenticationTokenException', 'Missing Authentication Token')],
    [
      'CREDENTIALS_MISSING',
      thrown('CredentialsProviderError', 'Could not load credentials from any providers'),
    ],
    [
      'CREDENTIALS_MISSING',
      thrown('TokenProviderError', "Token is expired. To refresh this SSO session run 'aws sso login'"),
    ],
    [
      'NETWORK_UNREACHABLE',
      thrown('CredentialsProviderError', 'Error: getaddrinfo ENOTFOUND portal.sso.eu-west-1.amazonaws.com'),
    ],
    [
      'NETWORK_UNREACHABLE',
      thrown('TokenProviderError', 'getaddrinfo EAI_AGAIN oidc.eu-west-1.amazonaws.com'),
    ],
    [
      'NETWORK_UNREACHABLE',
      thrown('CredentialsProviderError', 'connect ENETUNREACH 10.0.0.1:443 - Local (0.0.0.0:0)'),
    ],
    [
      'NETWORK_UNREACHABLE',
      Object.assign(thrown('CredentialsProviderError', 'Failed to refresh'), {
        cause: new Error('no answer', { cause: network('ECONNREFUSED') }),
      }),
    ],
    ['INPUT_INVALID', thrown('EndpointError', 'FIPS is enabled but this partition does not support FIPS')],
    ['NETWORK_UNREACHABLE', network('ECONNREFUSED')],
    ['NETWORK_UNREACHABLE', network('ECONNRESET')],
    ['NETWORK_UNREACHABLE', network('ENOTFOUND')],
    ['NETWORK_UNREACHABLE', network('EAI_AGAIN')],
    ['NETWORK_UNREACHABLE', network('EHOSTUNREACH')],
    ['NETWORK_UNREACHABLE', network('ENETUNREACH')],
    ['NETWORK_UNREACHABLE', network('EPIPE')],
    ['NETWORK_UNREACHABLE', network('ETIMEDOUT')],
    ['NETWORK_UNREACHABLE', network('EPROTO')],
    ['NETWORK_UNREACHABLE', network('ERR_SSL_WRONG_VERSION_NUMBER')],
    ['NETWORK_UNREACHABLE', thrown('AggregateError', '', { code: 'ECONNREFUSED' })],
    ['NETWORK_UNREACHABLE', thrown('TimeoutError', 'Connection timed out after 1000 ms')],
    ['NETWORK_UNREACHABLE', thrown('Error', 'socket hang up', { code: 'ECONNRESET' })],
    ['NETWORK_UNREACHABLE', network('CERT_HAS_EXPIRED')],
    ['NETWORK_UNREACHABLE', network('SELF_SIGNED_CERT_IN_CHAIN')],
    ['NETWORK_UNREACHABLE', network('DEPTH_ZERO_SELF_SIGNED_CERT')],
    ['NETWORK_UNREACHABLE', network('UNABLE_TO_VERIFY_LEAF_SIGNATURE')],
    ['NETWORK_UNREACHABLE', network('UNABLE_TO_GET_ISSUER_CERT_LOCALLY')],
    ['NETWORK_UNREACHABLE', network('ERR_TLS_CERT_ALTNAME_INVALID')],
    ['NETWORK_UNREACHABLE', new SyntaxError('Unexpected token < in JSON at position 0')],
    [
      'NETWORK_UNREACHABLE',
      thrown(
        'SyntaxError',
        "Unexpected token '<'\n  Deserialization error: to see the raw response, inspect the hidden field",
      ),
    ],
    [
      'PROVIDER_FAILED',
      thrown('InternalServerError', 'An error occurred on the server side.', { status: 500 }),
    ],
    ['PROVIDER_FAILED', thrown('ServiceUnavailable', '', { status: 503 })],
    ['PROVIDER_FAILED', thrown('SomethingNew', 'never seen before', { status: 418 })],
    ['PROVIDER_FAILED', 'a string'],
    ['PROVIDER_FAILED', undefined],
    ['PROVIDER_FAILED', null],
  ])('are %s (%j)', (code, error) => {
    const failure = awsFailure(error, attempted);
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(/ssm|\/ci\/key/);
    expect(failure.message).not.toMatch(/[.\s(]$|\(\)|: $/);
    expect(failure.hint).not.toBe('');
    expect(failure.cause).toBe(error === undefined ? undefined : error);
  });

  it.each(['CERT_HAS_EXPIRED', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'])(
    'about certificates (%s) name the code and the variable',
    (code) => {
      const failure = awsFailure(network(code), attempted);
      expect(failure.message).toContain(code);
      expect(failure.hint).toContain('NODE_EXTRA_CA_CERTS');
    },
  );

  it.each([
    ['ssm', 'eu-west-1', 'https://ssm.eu-west-1.amazonaws.com:'],
    ['sts', 'us-gov-west-1', 'https://sts.us-gov-west-1.amazonaws.com:'],
    ['ssm', 'cn-north-1', 'https://ssm.cn-north-1.amazonaws.com.cn:'],
    ['sts', 'cn-northwest-1', 'https://sts.cn-northwest-1.amazonaws.com.cn:'],
  ])('of the network name the host of %s in %s', (service, region, host) => {
    const { hint } = awsFailure(network('ENOTFOUND'), { ...attempted, service, region });
    expect(hint).toContain(host);
    expect(hint).toContain(`VPC endpoint for ${service}`);
  });

  it.each([
    ['the error', Object.assign(network('ENOTFOUND'), { endpoint: 'http://127.0.0.1:4566' })],
    [
      'its answer',
      Object.assign(thrown('ServiceUnavailable', '', { status: 503 }), {
        $response: { endpoint: 'http://127.0.0.1:4566' },
      }),
    ],
  ])("of an endpoint of the user's own name that, and the setting: by %s", (_, error) => {
    const { hint } = awsFailure(error, { ...attempted, service: 'secretsmanager' });
    expect(hint).toContain('http://127.0.0.1:4566');
    expect(hint).toContain('AWS_ENDPOINT_URL_SECRETS_MANAGER');
    expect(hint).not.toMatch(/amazonaws|health\.aws/);
  });

  it.each([
    ['is a redirect (302) to portal.test', 'is a redirect (302) to portal.test, and not from AWS'],
    ['is broken', 'is broken or not from AWS'],
  ])('of what AWS never answers say what that is: %s', (what, said) => {
    const { code, message } = awsFailure(notAws(what), attempted);
    expect([code, message]).toEqual(['NETWORK_UNREACHABLE', `the answer of ssm in eu-west-1 ${said}`]);
  });

  it('are returned unchanged if they are Failures', () => {
    const failure = new Failure('TIMEOUT', 'x', { hint: 'y' });
    expect(awsFailure(failure, attempted)).toBe(failure);
  });

  it('may be any value', () => {
    const parts = fc.record(
      { name: fc.anything(), message: fc.anything(), code: fc.anything(), $metadata: fc.anything() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything({ withNullPrototype: true }), parts), (error) => {
        const failure = awsFailure(error, attempted);
        return told(failure) !== '' && Object.values(readAwsError(error)).every((part) => part !== undefined);
      }),
      { examples: [[{ message: { toString: {} } }]] },
    );
  });
});
