# One image for the API, the worker, the migration and the Stripe stand-in; the command says which.
# Sources run as they are: only the console is built.

FROM node:24.21.0-slim AS base
WORKDIR /app

FROM base AS console
COPY package.json package-lock.json ./
COPY src/sdk/package.json src/sdk/
RUN npm ci --ignore-scripts
COPY . .
RUN node node_modules/vite/bin/vite.js build src/console --config src/console/vite.config.ts

FROM base AS dependencies
COPY package.json package-lock.json ./
COPY src/sdk/package.json src/sdk/
COPY patches patches
# Scripts would fetch a second Node and unpack a PostgreSQL; this image needs neither, but the driver as it is mended.
RUN npm ci --omit=dev --ignore-scripts && npm run postinstall

FROM base
ENV NODE_ENV=production
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY drizzle drizzle
COPY src src
COPY --from=console /app/dist dist
# The stand-in keeps its journal here, and the worker the copy of the ledger's seals.
RUN mkdir /data /seals && chown node:node /data /seals
USER node
EXPOSE 8155
CMD ["node", "src/api/main.ts"]
