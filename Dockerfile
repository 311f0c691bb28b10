# Longshore: Node 24, the framework with its command, and the operator. docs/images.md has how to use it.
#
#     docker build -t longshore .
#     docker run --rm -p 2346:2346 longshore start echo.ts
#
# 305 MB: Node 127, Debian 119, dependencies 40 (28 of them the operator's Kubernetes client), npm 19, Longshore 0.5.

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY operator operator
RUN npm run -s build && chmod +x dist/src/cli/bin.js
# Declarations and source maps are two thirds of what is left; nothing reads them at run time.
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && find dist node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.[cm]ts' \) -delete

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="longshore" \
  org.opencontainers.image.description="Long-lived TCP, UDP, WebSocket and HTTP servers in many processes" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="node:24-bookworm-slim"
# At the root, because a program finds it there wherever it lies: in /app, or in a volume mounted anywhere.
COPY package.json LICENSE /node_modules/longshore/
COPY --from=build /build/node_modules /node_modules/longshore/node_modules
COPY --from=build /build/dist /node_modules/longshore/dist
# A program without a package.json of its own is a module, as its first line, an import, says.
RUN ln -s /node_modules/longshore/dist/src/cli/bin.js /usr/local/bin/longshore \
  && echo '{ "private": true, "type": "module" }' > /package.json
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
