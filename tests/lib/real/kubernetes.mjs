// A cluster's API, as far as its MCP server asks it: namespaces and pods of `core/v1`, in memory. Leaves out watching, and all
// of a pod's life: a pod that was made runs.
import { serve } from './http.mjs';

const NAMESPACES = ['default', 'garden'];
const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
const AUTHORIZATION = { groupVersion: 'authorization.k8s.io/v1', version: 'v1' };
const KINDS = {
  v1: [
    { name: 'pods', singularName: 'pod', kind: 'Pod', namespaced: true, verbs: VERBS },
    { name: 'namespaces', singularName: 'namespace', kind: 'Namespace', namespaced: false, verbs: VERBS },
  ],
  // The server first asks whether it may list a kind everywhere.
  [AUTHORIZATION.groupVersion]: [
    {
      name: 'selfsubjectaccessreviews',
      singularName: '',
      kind: 'SelfSubjectAccessReview',
      namespaced: false,
      verbs: VERBS,
    },
  ],
};

const nameOf = ({ metadata }) => metadata.name;
const POD_COLUMNS = { Name: nameOf, Status: ({ status }) => status.phase };

/** Serves it; `pods` are those that there are, by namespace and name. */
export async function kubernetesApi(t) {
  const pods = new Map();
  put(pods, 'default', { metadata: { name: 'ant' }, spec: { containers: [{ name: 'ant', image: 'ants:1' }] } });
  put(pods, 'garden', { metadata: { name: 'bee' }, spec: { containers: [{ name: 'bee', image: 'bees:2' }] } });
  const podsOf = (namespace) => [...pods.values()].filter(({ metadata }) => metadata.namespace === namespace);
  const found = ({ params }, answer) =>
    pods.has(key(params)) ? answer(pods.get(key(params))) : missing('pods', params.name);
  const ofNamespace = '/api/v1/namespaces/:namespace/pods';
  const { url, seen } = await serve(t, {
    'GET /version': () => ({ major: '1', minor: '35', gitVersion: 'v1.35.0' }),
    'GET /api': () => ({ kind: 'APIVersions', versions: ['v1'] }),
    'GET /apis': () => {
      const group = { name: 'authorization.k8s.io', versions: [AUTHORIZATION], preferredVersion: AUTHORIZATION };
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] };
    },
    'GET /api/v1': () => kinds('v1'),
    'GET /apis/authorization.k8s.io/v1': () => kinds(AUTHORIZATION.groupVersion),
    'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews': () => {
      const [{ kind }] = KINDS[AUTHORIZATION.groupVersion];
      return { apiVersion: AUTHORIZATION.groupVersion, kind, spec: {}, status: { allowed: true } };
    },
    'GET /api/v1/namespaces': (request) => list(request, 'NamespaceList', { Name: nameOf }, NAMESPACES.map(namespace)),
    'GET /api/v1/pods': (request) => list(request, 'PodList', POD_COLUMNS, [...pods.values()]),
    [`GET ${ofNamespace}`]: (request) => list(request, 'PodList', POD_COLUMNS, podsOf(request.params.namespace)),
    [`POST ${ofNamespace}`]: ({ params, json }) => ({ status: 201, body: put(pods, params.namespace, json()) }),
    [`PATCH ${ofNamespace}/:name`]: ({ params, json }) => put(pods, params.namespace, json()),
    [`GET ${ofNamespace}/:name`]: (request) => found(request, (pod) => pod),
    [`GET ${ofNamespace}/:name/log`]: (request) =>
      found(request, (pod) => `${nameOf(pod)} woke\n${nameOf(pod)} sleeps\n`),
    [`DELETE ${ofNamespace}/:name`]: (request) =>
      found(request, (pod) => {
        pods.delete(key(request.params));
        return pod;
      }),
  });
  return { url, seen, pods, config: config(url) };
}

function kinds(groupVersion) {
  return { kind: 'APIResourceList', groupVersion, resources: KINDS[groupVersion] };
}

function namespace(name) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } };
}

/** A list, as a table where the client would rather have that. */
function list({ headers }, kind, columns, items) {
  const metadata = { resourceVersion: '1' };
  if (!headers.accept?.includes('as=Table')) return { apiVersion: 'v1', kind, metadata, items };
  const definition = (name) => ({ name, type: 'string', format: '', description: '', priority: 0 });
  return {
    apiVersion: 'meta.k8s.io/v1',
    kind: 'Table',
    metadata,
    columnDefinitions: Object.keys(columns).map(definition),
    rows: items.map((object) => ({ cells: Object.values(columns).map((cell) => cell(object)), object })),
  };
}

function key({ namespace, name }) {
  return `${namespace}/${name}`;
}

function put(pods, namespace, { metadata, ...rest }) {
  const pod = {
    ...rest,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, namespace, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    status: { phase: 'Running' },
  };
  pods.set(key(pod.metadata), pod);
  return pod;
}

function missing(kind, name) {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 };
  return { status: 404, body: { ...body, message: `${kind} "${name}" not found`, details: { name, kind } } };
}

/** The kubeconfig for it; YAML reads JSON. */
function config(url) {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'garden', cluster: { server: url } }],
    users: [{ name: 'gardener', user: {} }],
    contexts: [{ name: 'garden', context: { cluster: 'garden', user: 'gardener', namespace: 'default' } }],
    'current-context': 'garden',
  });
}
