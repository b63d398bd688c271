{
  "variables": { "x64_level%": "x86-64-v2" },
  "targets": [{
    "target_name": "crosswire",
    "sources": ["<!@(grep -v '^#' native/sources.txt)"],
    "include_dirs": ["native", "<!(node -p \"require('node-addon-api').include_dir\")"],
    "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_DEPRECATED", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL"],
    "cflags!": ["-fno-exceptions"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++20", "-fexceptions", "-frtti", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wno-missing-field-initializers", "-fvisibility=hidden"],
    "conditions": [["target_arch=='x64'", { "cflags_cc": ["-march=<(x64_level)"] }]]
  }]
}
