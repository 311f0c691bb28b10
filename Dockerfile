# Longshore: Node 24, the framework with its command, and the operator. docs/images.md has how to use it.
#
#     docker build -t longshore .
#     docker run --rm -p 2346:2346 longshore start echo.ts
#
# 277 MB: Node 127, Debian 119, npm 19, which are the base; dependencies 10.4, framework and operator 1.4.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY operator operator
RUN npm run -s build && chmod +x dist/src/cli/bin.js

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="longshore" \
  org.opencontainers.image.description="Long-lived TCP, UDP, WebSocket and HTTP servers in many processes" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="node:24-bookworm-slim"
# At the root, because a program finds it there wherever it lies: in /app, or in a volume mounted anywhere.
# What changes least comes first.
COPY --from=dependencies /build/node_modules /node_modules/longshore/node_modules
# A program without a package.json of its own is a module, as its first line, an import, says.
RUN ln -s /node_modules/longshore/dist/src/cli/bin.js /usr/local/bin/longshore \
  && echo '{ "private": true, "type": "module" }' > /package.json
COPY package.json LICENSE /node_modules/longshore/
COPY --from=build /build/dist /node_modules/longshore/dist
WORKDIR /app
COPY examples/echo.ts ./
COPY examples/chat chat
# Probes and Prometheus come from outside the container. Without a token only they are answered there.
ENV LONGSHORE_ADMIN=0.0.0.0:9464
EXPOSE 9464
# By number, so that Kubernetes can check runAsNonRoot.
USER 1000:1000
ENTRYPOINT ["longshore"]
CMD ["--help"]
