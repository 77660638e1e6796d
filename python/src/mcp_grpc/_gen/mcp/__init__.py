# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
