// WIRE SAMPLES: one request and one response, or more, of every op, with every field different from zero and from its
// neighbours, and a rendering of all fields so that tests compare values without trusting the codec.
#pragma once

#include <string>
#include <vector>

#include "core/request.h"
#include "core/response.h"
#include "tests/core/hex.h"

namespace statefs {

// Views point to bytes that live as long as the program.
struct RequestSample {
  std::string name;
  Request request;
};
struct ResponseSample {
  std::string name;
  Response response;
};

const std::vector<RequestSample>& request_samples();
const std::vector<ResponseSample>& response_samples();

// All statuses, in the order of their numbers.
const std::vector<Status>& all_statuses();

// Every field of the value, by name.
std::string describe(const Request& request);
std::string describe(const Response& response);

Bytes encoded(const Request& request);
Bytes encoded(const Response& response);

}  // namespace statefs
