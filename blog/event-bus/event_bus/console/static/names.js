/** Names of subscribers: a service, or one of its pods on Kubernetes, such as `query-depl-5d9c7b8f6-x2abc`. Pure. */

/** Return the service that a name begins with. */
export const serviceOf = (name) => name.split("-")[0];

/** Return whether Kubernetes made this name for a pod. */
export const isPod = (name) => name.split("-").length > 3;

/** Shorten a pod's name to its service, and to its last part, too, where the service has several pods. */
export function shortName(name, names) {
  if (!isPod(name)) return name;
  const service = serviceOf(name);
  const several = names.filter((other) => serviceOf(other) === service).length > 1;
  return several ? `${service}-${name.split("-").at(-1)}` : service;
}
