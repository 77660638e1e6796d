# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""The Model Context Protocol over gRPC, on ``grpc.aio``: see SPEC.md."""
