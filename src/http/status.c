// SPDX-License-Identifier: MIT
#include "http/status.h"

#include <stddef.h>

static const char *const reasons[6][32] = {
    [1] = {"Continue", "Switching Protocols", "Processing", "Early Hints"},
    [2] = {"OK", "Created", "Accepted", "Non-Authoritative Information",
           "No Content", "Reset Content", "Partial Content", "Multi-Status",
           "Already Reported", [26] = "IM Used"},
    [3] = {"Multiple Choices", "Moved Permanently", "Found", "See Other",
           "Not Modified", "Use Proxy", [7] = "Temporary Redirect",
           "Permanent Redirect"},
    [4] = {"Bad Request",
           "Unauthorized",
           "Payment Required",
           "Forbidden",
           "Not Found",
           "Method Not Allowed",
           "Not Acceptable",
           "Proxy Authentication Required",
           "Request Timeout",
           "Conflict",
           "Gone",
           "Length Required",
           "Precondition Failed",
           "Content Too Large",
           "URI Too Long",
           "Unsupported Media Type",
           "Range Not Satisfiable",
           "Expectation Failed",
           "I'm a teapot",
           [21] = "Misdirected Request",
           "Unprocessable Content",
           "Locked",
           "Failed Dependency",
           "Too Early",
           "Upgrade Required",
           [28] = "Precondition Required",
           "Too Many Requests",
           [31] = "Request Header Fields Too Large"},
    [5] = {"Internal Server Error", "Not Implemented", "Bad Gateway",
           "Service Unavailable", "Gateway Timeout",
           "HTTP Version Not Supported", "Variant Also Negotiates",
           "Insufficient Storage",
           "Loop Detected", [11] = "Network Authentication Required"},
};

const char *tg_status_reason(int status)
{
    const char *reason = NULL;

    if (status == 451)
        return "Unavailable For Legal Reasons";
    if (100 <= status && status <= 599 && status % 100 < 32)
        reason = reasons[status / 100][status % 100];
    return reason ? reason : "";
}

bool tg_status_is_bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}
