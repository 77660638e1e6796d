# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
from mcp_grpc._gen.mcp.v1 import completion_pb2 as _completion_pb2
from mcp_grpc._gen.mcp.v1 import envelope_pb2 as _envelope_pb2
from mcp_grpc._gen.mcp.v1 import prompt_pb2 as _prompt_pb2
from mcp_grpc._gen.mcp.v1 import resource_pb2 as _resource_pb2
from mcp_grpc._gen.mcp.v1 import session_pb2 as _session_pb2
from mcp_grpc._gen.mcp.v1 import subscription_pb2 as _subscription_pb2
from mcp_grpc._gen.mcp.v1 import task_pb2 as _task_pb2
from mcp_grpc._gen.mcp.v1 import tool_pb2 as _tool_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
