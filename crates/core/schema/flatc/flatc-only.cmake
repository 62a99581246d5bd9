# Handed to CMake as a toolchain file, the only way into the build script of `flatc-fork`: without the tests of
# FlatBuffers, and unoptimised, the compiler builds in a fraction of the time.
set(FLATBUFFERS_BUILD_TESTS OFF CACHE BOOL "" FORCE)
set(FLATBUFFERS_BUILD_FLATHASH OFF CACHE BOOL "" FORCE)
set(CMAKE_CXX_FLAGS_RELEASE "-O0" CACHE STRING "" FORCE)
