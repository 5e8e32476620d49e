# One image for gates, logic nodes, the operator and the command line: the words after the image's name are those of "kim".
#   docker build -t kimserver:0.1.0 .
#   docker run --rm kimserver:0.1.0 --help
# The base needs Node.js 24 and npm. What runs has no base at all: Node.js, its libraries, this package and what it depends on.
ARG BASE=node:24-slim
FROM ${BASE} AS build
WORKDIR /build
# packages come first: they change less often than sources
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
COPY . .
RUN node scripts/build.ts && npm prune --omit=dev --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error
RUN node scripts/image.ts /image

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="kimserver" \
      org.opencontainers.image.description="Long-lived TCP connections as a Kubernetes-native service" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=build /image/ /
ENV PATH=/usr/local/bin NODE_ENV=production HOME=/tmp
WORKDIR /app
# a number: Kubernetes can not judge by a name whether it is root
USER 10001:10001
EXPOSE 3355 3344 4344 9355
# no shell between: the node itself is told to end, and drains
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/cli/main.js"]
CMD ["--help"]
