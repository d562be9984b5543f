/** A server whose TLS certificate is not trusted: how that is told, and what to do. Pure. */

/** @param code of Node's error */
export function isCertificateTrouble(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code);
}

/** For AWS's services. The variable for them alone takes precedence, as in the AWS CLI. */
export const authoritiesHint =
  'where a proxy signs with its own authority, add its certificate to AWS_CA_BUNDLE, or to NODE_EXTRA_CA_CERTS if that is not set';

/** For all others. */
export const certificateHint =
  'where a proxy signs with its own authority, point NODE_EXTRA_CA_CERTS to its certificate';
