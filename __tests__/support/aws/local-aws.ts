/** A local AWS: STS, Parameter Store and Secrets Manager with KMS, KMS's keys that sign, EC2 and its Instance Connect, Session Manager, instance metadata, and GitHub's OIDC issuer, on 127.0.0.1. */
import { CallLog, type Call } from './wire/calls.ts';
import { createCertificates, type Certificates } from './wire/certificates.ts';
import { Faults } from './wire/faults.ts';
import { serve, type HttpRequest, type HttpServer, type ServerOptions } from './wire/http-server.ts';
import { Iam, type Credentials } from './iam/iam.ts';
import { elasticComputeCloud, isForEc2 } from './ec2/ec2.ts';
import { Ec2 } from './ec2/instances.ts';
import { InstanceMetadata } from './imds.ts';
import { instanceConnect, isForInstanceConnect } from './instance-connect/instance-connect.ts';
import { instanceConnectEndpoint, isForTunnel } from './instance-connect/open-tunnel.ts';
import { PushedKeys } from './instance-connect/pushed-keys.ts';
import { Tunnels } from './instance-connect/tunnels.ts';
import { Kms, type KmsWording } from './kms.ts';
import { isForKms, keyManagementService } from './kms/key-management-service.ts';
import { SigningKeys } from './kms/signing-keys.ts';
import { OidcIssuer } from './oidc/issuer.ts';
import type { CiJob, CiService } from './oidc/ci-services.ts';
import type { Job } from './oidc/job.ts';
import { isForSecretsManager, secretsManager } from './secretsmanager/secrets-manager.ts';
import { Secrets } from './secretsmanager/secrets.ts';
import { messageGateway, openDataChannels } from './session-manager/data-channel.ts';
import { Sessions, type SessionManager } from './session-manager/sessions.ts';
import { ParameterStore } from './ssm/parameters.ts';
import { attend, type Observation, type Service } from './wire/service.ts';
import { systemsManager } from './ssm/ssm.ts';
import { securityTokenService } from './sts/sts.ts';

export type { Call } from './wire/calls.ts';
export type { Fault, FaultOrder } from './wire/faults.ts';
export type { Credentials, OidcProviderInput, RoleInput, SessionInput } from './iam/iam.ts';
export type { Instance } from './imds.ts';
export type { InstanceState, LaunchedInstance } from './ec2/instances.ts';
export type { CiJob, CiService } from './oidc/ci-services.ts';
export type { Job } from './oidc/job.ts';
export type { SessionFaults } from './session-manager/faults.ts';
export type { AgentInput, OpenSession } from './session-manager/sessions.ts';
export type { ParameterInput } from './ssm/parameters.ts';
export type { SigningKeyInput, SigningKeyState } from './kms/signing-keys.ts';
export type { SecretInput } from './secretsmanager/secrets.ts';
export type { PolicyDocument, Statement } from './iam/policy-document.ts';

export interface LocalAwsOptions {
  /** HTTPS for the APIs and the OIDC endpoint; instance metadata stays HTTP, as on EC2. Default: false. */
  readonly tls?: boolean;
  /** AWS's clock. Default: the real one. */
  readonly clock?: () => Date;
  /** The wording of a denied kms:Decrypt. Default: `new`. */
  readonly kmsWording?: KmsWording;
  /**
   * The existing Regions; a signature for another one is refused. Default: everything that looks like one. With tls the
   * certificate also has their host names: see `startGateway`.
   */
  readonly regions?: readonly string[];
  /** Lifetime of a pushed key in seconds. Default: 60, as on AWS. */
  readonly pushedKeySeconds?: number;
  /** The longest session of a role in seconds, whatever was asked for. AWS's shortest is 900. */
  readonly sessionSeconds?: number;
}

export interface EnvironmentOptions {
  /** Allows the client to use the instance metadata; otherwise it is turned off. Default: false. */
  readonly metadata?: boolean;
  readonly credentials?: Credentials;
}

type Environment = Record<string, string>;

export interface LocalAws {
  readonly iam: Iam;
  /** The keys that encrypt stored values. */
  readonly kms: Kms;
  /** The keys of KMS's own endpoint, which sign. */
  readonly signingKeys: SigningKeys;
  readonly parameters: ParameterStore;
  readonly secrets: Secrets;
  readonly ec2: Ec2;
  /** The keys of SendSSHPublicKey. */
  readonly pushedKeys: PushedKeys;
  /** The tunnels of the Instance Connect Endpoints, which need `tls`. */
  readonly tunnels: Tunnels;
  /** Session Manager, and the agents on its instances. */
  readonly sessions: SessionManager;
  /** The instance of the metadata service; none until it is set. */
  readonly metadata: { set: (instance: Parameters<InstanceMetadata['set']>[0]) => void };
  readonly oidc: {
    readonly issueToken: (job?: Job, audience?: string) => Promise<string>;
    /** Of a CI service other than GitHub; `iam.createOidcProvider` makes the account know its issuer. */
    readonly issueCiToken: (service: CiService, audience: string, job?: CiJob) => Promise<string>;
    /** The address of the issuer's documents. */
    readonly url: string;
  };
  readonly faults: Faults;
  readonly calls: readonly Call[];
  /** Empties `calls`. */
  readonly forgetCalls: () => void;
  /** Connections to `endpoint` since the start. */
  readonly connections: () => number;
  /** STS, Systems Manager, Secrets Manager, KMS and EC2. */
  readonly endpoint: string;
  readonly metadataEndpoint: string;
  /** The authority's PEM, with tls. */
  readonly ca: string | undefined;
  /** For a client process without the user's configuration files and without a Region. */
  readonly environment: (options?: EnvironmentOptions) => Environment;
  /** For a job whose workflow has `id-token: write`. */
  readonly actionsEnvironment: (job?: Job) => Environment;
  /** Closes every connection at once. May be called again. */
  readonly stop: () => Promise<void>;
}

export async function startLocalAws(options: LocalAwsOptions = {}): Promise<LocalAws> {
  const { clock = () => new Date(), kmsWording = 'new', regions } = options;
  const issuer = await OidcIssuer.create(clock);
  const fetchKeys = () => Promise.resolve(issuer.keySet);
  const iam = new Iam({ clock, fetchKeys, longestSession: options.sessionSeconds });
  const kms = new Kms(kmsWording);
  const signingKeys = new SigningKeys(clock);
  const parameters = new ParameterStore(kms, clock);
  const secrets = new Secrets(kms, clock);
  const metadata = new InstanceMetadata(iam, clock);
  const ec2 = new Ec2();
  const pushedKeys = new PushedKeys((options.pushedKeySeconds ?? 60) * 1000);
  const tunnels = new Tunnels();
  const sessions = new Sessions();
  const api = { iam, clock, regions };
  const services = {
    ssm: systemsManager({ parameters, kms, sessions }, api),
    secretsManager: secretsManager({ secrets, kms }, api),
    kms: keyManagementService(signingKeys, api),
    sts: securityTokenService(api),
    ec2: elasticComputeCloud(ec2, { ...api, origin: () => endpoints.api }),
    instanceConnect: instanceConnect({ ec2, pushedKeys }, api),
    tunnel: instanceConnectEndpoint({ ec2, tunnels }, api),
    issuer,
    metadata,
  };
  const observation = { calls: new CallLog(), faults: new Faults(), clock };
  const secure = options.tls === true && { ...(regions && { regions }) };
  const upgrade = openDataChannels(sessions, messageGateway(sessions, api), observation);
  const endpoints = await openEndpoints(services, observation, { secure, upgrade });
  sessions.origin = endpoints.api.replace('http', 'ws');
  return {
    iam,
    ...{ kms, signingKeys, connections: endpoints.connections },
    parameters,
    ...{ secrets, ec2, pushedKeys, tunnels },
    sessions,
    metadata: { set: metadata.set.bind(metadata) },
    oidc: {
      issueToken: issuer.issueToken.bind(issuer),
      issueCiToken: issuer.issueCiToken.bind(issuer),
      url: endpoints.oidc,
    },
    faults: observation.faults,
    get calls() {
      return observation.calls.calls;
    },
    forgetCalls: () => {
      observation.calls.clear();
    },
    endpoint: endpoints.api,
    metadataEndpoint: endpoints.metadata,
    ca: endpoints.certificates?.ca,
    environment: (wanted = {}) => clientEnvironment(endpoints, wanted),
    actionsEnvironment: (job = {}) => issuer.environment(job, endpoints.oidc),
    stop: async () => {
      sessions.stop();
      await endpoints.close();
    },
  };
}

interface Endpoints {
  /** Origins. */
  readonly api: string;
  readonly oidc: string;
  readonly metadata: string;
  readonly connections: () => number;
  readonly certificates: Certificates | undefined;
  readonly close: () => Promise<void>;
}

type Apis = Record<'ssm' | 'secretsManager' | 'kms' | 'sts' | 'ec2' | 'instanceConnect' | 'tunnel', Service>;
type Services = Apis & Record<'issuer' | 'metadata', Service>;

async function openEndpoints(
  { issuer, metadata, ...api }: Services,
  observation: Observation,
  {
    secure,
    upgrade,
  }: { secure: false | Pick<LocalAwsOptions, 'regions'>; upgrade: ServerOptions['upgrade'] },
): Promise<Endpoints> {
  const certificates = secure ? await createCertificates(secure.regions) : undefined;
  const open = (
    route: (request: HttpRequest) => Service,
    more: Partial<ServerOptions> = {},
  ): Promise<HttpServer> =>
    serve({ handle: (request) => attend(route(request), request, observation), ...more });
  const servers = await Promise.all([
    open((request) => serviceOf(request, api), { tls: certificates, upgrade }),
    open(() => issuer, { tls: certificates }),
    open(() => metadata),
  ]);
  const [apis, oidc, imds] = servers;
  return {
    api: apis.origin,
    oidc: oidc.origin,
    metadata: imds.origin,
    connections: apis.connections,
    certificates,
    close: async () => {
      await Promise.all([...servers.map((server) => server.close()), certificates?.remove()]);
    },
  };
}

function serviceOf(request: HttpRequest, { ssm, secretsManager: secrets, sts, ...more }: Apis): Service {
  if (isForTunnel(request)) return more.tunnel;
  if (isForm(request)) return isForEc2(request) ? more.ec2 : sts;
  if (isForInstanceConnect(request)) return more.instanceConnect;
  if (isForKms(request)) return more.kms;
  return isForSecretsManager(request) ? secrets : ssm;
}

/** STS uses awsQuery, and EC2 a similar protocol. */
function isForm({ headers }: HttpRequest): boolean {
  return headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
}

function clientEnvironment(
  { api, metadata, certificates }: Endpoints,
  { metadata: reachable = false, credentials }: EnvironmentOptions,
): Environment {
  return {
    AWS_ENDPOINT_URL: api,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    ...(reachable ? { AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata } : { AWS_EC2_METADATA_DISABLED: 'true' }),
    ...(certificates && {
      NODE_EXTRA_CA_CERTS: certificates.caFile,
      AWS_CA_BUNDLE: certificates.caFile,
    }),
    ...(credentials && {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }),
    ...(credentials?.sessionToken !== undefined && { AWS_SESSION_TOKEN: credentials.sessionToken }),
  };
}
